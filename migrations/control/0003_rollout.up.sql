-- A tenant migration on its way through the organizations; at most one is open.
create table control.schema_rollout (
  id uuid primary key,
  target_version integer not null,
  state text not null
    constraint schema_rollout_state_check
    check (state in ('running', 'paused', 'stopped', 'completed')),
  -- Batches so far: the first ones are the canaries.
  wave integer not null,
  migrated bigint not null,
  failure_percent_max integer not null
    constraint schema_rollout_failure_percent_max_check
    check (failure_percent_max between 0 and 100),
  created_at timestamptz not null,
  updated_at timestamptz not null
);

create unique index schema_rollout_open_key on control.schema_rollout ((true))
 where state <> 'completed';

-- Organizations that a rollout could not migrate: names and codes, never values.
create table control.schema_rollout_failure (
  rollout_id uuid not null,
  organization_id uuid not null,
  error text not null,
  failed_at timestamptz not null,
  primary key (rollout_id, organization_id),
  constraint schema_rollout_failure_rollout_id_fkey
    foreign key (rollout_id) references control.schema_rollout (id) on delete cascade
);

create index organization_schema_version_idx on control.organization (schema_version);

-- Ready organizations, the oldest first.
create index organization_provisioning_idx on control.organization (created_at)
 where status = 'provisioning';
