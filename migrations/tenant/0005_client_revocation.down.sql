alter table {tenant}.client drop column tokens_revoked_at;
