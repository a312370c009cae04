-- A secret that signs (client_secret_jwt) under the tenant key; null for every other client.
alter table {tenant}.client add column secret_sealed bytea;

-- SHA-256 of the registration access token (RFC 7592); null for a client that did not register itself.
alter table {tenant}.client add column registration_token_hash bytea;

create index client_registration_token_hash_idx on {tenant}.client (registration_token_hash)
  where registration_token_hash is not null;

alter table {tenant}.one_time_token drop constraint one_time_token_kind_check;
alter table {tenant}.one_time_token add constraint one_time_token_kind_check
  check (kind in ('authorization_code', 'device_code', 'initial_access_token'));

-- Who may vouch for people (RFC 7523) and for software (RFC 7591 section 2.3) beside the tenant itself.
create table {tenant}.trusted_issuer (
  id uuid primary key,
  issuer text not null constraint trusted_issuer_issuer_key unique,
  metadata jsonb not null,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
