drop table {tenant}.trusted_issuer;
delete from {tenant}.one_time_token where kind in ('device_code', 'initial_access_token');
alter table {tenant}.one_time_token drop constraint one_time_token_kind_check;
alter table {tenant}.one_time_token add constraint one_time_token_kind_check
  check (kind in ('authorization_code'));
drop index {tenant}.client_registration_token_hash_idx;
alter table {tenant}.client drop column registration_token_hash;
alter table {tenant}.client drop column secret_sealed;
