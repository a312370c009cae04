-- The control plane: organizations, their wrapped keys, jobs and the erasure ledger (design section 3).
create schema control;

create table control.organization (
  id uuid primary key,
  slug text not null,
  name text not null,
  status text not null
    constraint organization_status_check
    check (status in ('provisioning', 'active', 'read_only', 'suspended', 'deleting', 'deleted')),
  schema_name text not null constraint organization_schema_name_key unique,
  schema_version integer not null,
  epoch bigint not null,
  settings jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  constraint organization_deleted_check check ((status = 'deleted') = (deleted_at is not null))
);

-- A slug is free again once its organization is gone.
create unique index organization_slug_key on control.organization (slug) where status <> 'deleted';

-- Tenant keys (KEK), each wrapped by the master key; destroyed with the organization.
create table control.tenant_key (
  organization_id uuid not null,
  version integer not null,
  wrapped bytea not null,
  created_at timestamptz not null,
  primary key (organization_id, version),
  constraint tenant_key_organization_id_fkey
    foreign key (organization_id) references control.organization (id)
);

-- What a repeated request with the same Idempotency-Key already created. No request body and no
-- response is kept: only a keyed digest to compare the repeat, and the id to read the answer from.
create table control.idempotency_key (
  key_hash bytea primary key,
  organization_id uuid,
  request_mac bytea not null,
  resource_id text not null,
  sealed_secret bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null
);

create index idempotency_key_expires_at_idx on control.idempotency_key (expires_at);

-- Whom an organization has erased, so that a restored backup can forget again. Ids only.
create table control.erasure_ledger (
  id uuid primary key,
  organization_id uuid not null,
  request_id uuid not null,
  subject_id uuid not null,
  state text not null constraint erasure_ledger_state_check check (state in ('intent', 'done')),
  created_at timestamptz not null,
  completed_at timestamptz,
  constraint erasure_ledger_completed_check check ((state = 'done') = (completed_at is not null))
);

create unique index erasure_ledger_request_id_key on control.erasure_ledger (request_id);
create index erasure_ledger_organization_id_idx on control.erasure_ledger (organization_id, subject_id);
