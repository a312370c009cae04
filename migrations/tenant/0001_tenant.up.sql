-- One tenant (design section 3): plain tables, a primary key on each, foreign keys only inside the
-- schema, no defaults that call functions. {tenant} is the quoted schema.

create table {tenant}.signing_key (
  id uuid primary key,
  kid text not null constraint signing_key_kid_key unique,
  algorithm text not null
    constraint signing_key_algorithm_check
    check (algorithm in ('RS256', 'PS256', 'ES256', 'ES384', 'EdDSA')),
  state text not null
    constraint signing_key_state_check check (state in ('next', 'current', 'previous', 'retired')),
  public_jwk jsonb not null,
  private_key bytea,
  created_at timestamptz not null,
  activated_at timestamptz,
  retired_at timestamptz,
  constraint signing_key_private_key_check check ((state = 'retired') = (private_key is null))
);

create unique index signing_key_current_key on {tenant}.signing_key (algorithm) where state = 'current';

create table {tenant}.user_account (
  id uuid primary key,
  status text not null
    constraint user_account_status_check check (status in ('active', 'disabled', 'erasing')),
  -- The subject key (DEK), wrapped by the tenant key; destroying it shreds all that is sealed with it.
  subject_key bytea not null,
  -- OpenID Connect Core 5.1 claims, one JSON document sealed under the subject key.
  profile bytea not null,
  -- Keyed digests of the normalised values: look-up without plaintext.
  username_index bytea,
  email_index bytea,
  phone_index bytea,
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  last_sign_in_at timestamptz
);

create unique index user_account_username_index_key on {tenant}.user_account (username_index);
create unique index user_account_email_index_key on {tenant}.user_account (email_index);
create index user_account_phone_index_idx on {tenant}.user_account (phone_index);

create table {tenant}.credential (
  user_id uuid not null
    constraint credential_user_id_fkey references {tenant}.user_account (id),
  kind text not null constraint credential_kind_check check (kind in ('password')),
  secret text not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (user_id, kind)
);

create table {tenant}.session (
  id uuid primary key,
  token_hash bytea not null constraint session_token_hash_key unique,
  user_id uuid not null constraint session_user_id_fkey references {tenant}.user_account (id),
  auth_time timestamptz not null,
  acr text not null,
  amr text[] not null,
  -- IP address and user agent, sealed under the subject key.
  personal bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz
);

create index session_user_id_idx on {tenant}.session (user_id);
create index session_expires_at_idx on {tenant}.session (expires_at);

create table {tenant}.client (
  id text primary key,
  -- SHA-256 of a generated 256 bit secret; null for public clients.
  secret_hash bytea,
  -- Client metadata in RFC 7591 names.
  metadata jsonb not null,
  status text not null constraint client_status_check check (status in ('active', 'disabled')),
  version bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- One authorization grant: what a user allowed a client, and the refresh tokens that descend from it.
-- The token itself is derived from the row's id, its generation and the tenant key: nothing secret is stored.
create table {tenant}.token_family (
  id uuid primary key,
  user_id uuid not null constraint token_family_user_id_fkey references {tenant}.user_account (id),
  client_id text not null constraint token_family_client_id_fkey references {tenant}.client (id),
  session_id uuid constraint token_family_session_id_fkey references {tenant}.session (id),
  scope text not null,
  auth_time timestamptz not null,
  acr text not null,
  amr text[] not null,
  generation integer not null,
  rotated_at timestamptz,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  revoked_reason text,
  constraint token_family_revoked_check check ((revoked_at is null) = (revoked_reason is null))
);

create index token_family_user_id_idx on {tenant}.token_family (user_id, client_id);
create index token_family_session_id_idx on {tenant}.token_family (session_id);
create index token_family_client_id_idx on {tenant}.token_family (client_id);
create index token_family_expires_at_idx on {tenant}.token_family (expires_at);

-- Access tokens revoked before they expire (RFC 7009), by their jti.
create table {tenant}.token_revocation (
  jti text primary key,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create index token_revocation_expires_at_idx on {tenant}.token_revocation (expires_at);

-- Short-lived one-time things: authorization codes now; device codes, e-mail links, … later.
create table {tenant}.one_time_token (
  kind text not null
    constraint one_time_token_kind_check check (kind in ('authorization_code')),
  hash bytea not null,
  user_id uuid constraint one_time_token_user_id_fkey references {tenant}.user_account (id),
  payload jsonb not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  consumed_at timestamptz,
  primary key (kind, hash)
);

create index one_time_token_user_id_idx on {tenant}.one_time_token (user_id);
create index one_time_token_expires_at_idx on {tenant}.one_time_token (expires_at);

-- What a person can agree to. 'application' is the built-in purpose of the OAuth consent page.
create table {tenant}.consent_purpose (
  id text primary key,
  name text not null,
  description text not null,
  notice_version integer not null,
  status text not null constraint consent_purpose_status_check check (status in ('active', 'retired')),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

-- The text a person saw, by version; never changed.
create table {tenant}.consent_notice (
  purpose_id text not null
    constraint consent_notice_purpose_id_fkey references {tenant}.consent_purpose (id),
  version integer not null,
  language text not null,
  body text not null,
  sha256 bytea not null,
  created_at timestamptz not null,
  primary key (purpose_id, version, language)
);

-- Append-only: what a person agreed to or withdrew, when, how, and which text they saw.
create table {tenant}.consent_event (
  id uuid primary key,
  user_id uuid constraint consent_event_user_id_fkey references {tenant}.user_account (id),
  purpose_id text not null
    constraint consent_event_purpose_id_fkey references {tenant}.consent_purpose (id),
  client_id text,
  scope text,
  action text not null constraint consent_event_action_check check (action in ('granted', 'withdrawn')),
  notice_version integer not null,
  notice_sha256 bytea not null,
  language text not null,
  method text not null
    constraint consent_event_method_check
    check (method in ('consent_page', 'privacy_page', 'admin_api')),
  occurred_at timestamptz not null,
  constraint consent_event_client_check check ((purpose_id = 'application') = (client_id is not null))
);

create index consent_event_user_id_idx
  on {tenant}.consent_event (user_id, purpose_id, client_id, occurred_at desc, id desc);

-- The audit trail (design section 6). commitment is HMAC-SHA-256 of the personal part and the subject
-- under commitment_key; erasing nulls the key, the personal part and the subject, and the event stays.
create table {tenant}.audit_event (
  seq bigint primary key,
  id uuid not null constraint audit_event_id_key unique,
  occurred_at timestamptz not null,
  action text not null,
  outcome text not null constraint audit_event_outcome_check check (outcome in ('success', 'failure')),
  actor_kind text not null
    constraint audit_event_actor_kind_check
    check (actor_kind in ('user', 'client', 'operator', 'system', 'anonymous')),
  actor_id text,
  subject_id uuid,
  request_id text,
  detail jsonb not null,
  personal bytea,
  commitment bytea not null,
  commitment_key bytea
);

create index audit_event_subject_id_idx on {tenant}.audit_event (subject_id, seq);
create index audit_event_action_idx on {tenant}.audit_event (action, seq);

-- The last sequence number given out; one row.
create table {tenant}.audit_head (
  id smallint primary key constraint audit_head_id_check check (id = 1),
  last_seq bigint not null
);

-- Data-subject requests (GDPR Art. 12 to 22).
create table {tenant}.data_request (
  id uuid primary key,
  kind text not null constraint data_request_kind_check check (kind in ('export', 'erasure')),
  state text not null
    constraint data_request_state_check
    check (state in ('received', 'verified', 'running', 'fulfilled', 'refused', 'failed')),
  -- Null once the subject is erased.
  subject_id uuid,
  channel text not null
    constraint data_request_channel_check check (channel in ('self_service', 'admin_api', 'retention', 'deletion')),
  received_at timestamptz not null,
  verified_at timestamptz,
  due_at timestamptz not null,
  completed_at timestamptz,
  report jsonb,
  error text
);

create index data_request_subject_id_idx on {tenant}.data_request (subject_id, id);

-- One finished export; the file lies in the archive store under the package's id.
create table {tenant}.export_package (
  id uuid primary key,
  request_id uuid not null
    constraint export_package_request_id_key unique
    constraint export_package_request_id_fkey references {tenant}.data_request (id),
  user_id uuid not null constraint export_package_user_id_fkey references {tenant}.user_account (id),
  sha256 bytea not null,
  size_bytes bigint not null,
  downloads_left integer not null
    constraint export_package_downloads_left_check check (downloads_left >= 0),
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create index export_package_user_id_idx on {tenant}.export_package (user_id);
create index export_package_expires_at_idx on {tenant}.export_package (expires_at);

-- How long the tenant keeps what a declared retention target names.
create table {tenant}.retention_rule (
  id text primary key,
  enabled boolean not null,
  keep_days integer not null
    constraint retention_rule_keep_days_check check (keep_days between 0 and 36500),
  updated_at timestamptz not null
);

create table {tenant}.retention_run (
  id uuid primary key,
  dry_run boolean not null,
  channel text not null constraint retention_run_channel_check check (channel in ('schedule', 'admin_api')),
  state text not null
    constraint retention_run_state_check check (state in ('running', 'completed', 'failed')),
  started_at timestamptz not null,
  finished_at timestamptz,
  report jsonb
);
