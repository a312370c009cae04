drop index {tenant}.signing_key_next_key;
alter table {tenant}.signing_key drop column deactivated_at;
