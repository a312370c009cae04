-- When everything granted to the client was revoked: tokens that it got for itself before are void, too.
alter table {tenant}.client add column tokens_revoked_at timestamptz;
