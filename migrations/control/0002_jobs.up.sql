-- The job queue (design section 8). Payloads carry ids, never personal data.
create table control.job (
  id uuid primary key,
  organization_id uuid,
  kind text not null,
  payload jsonb not null,
  priority smallint not null,
  state text not null
    constraint job_state_check check (state in ('available', 'running', 'dead')),
  run_at timestamptz not null,
  attempt integer not null,
  attempt_max integer not null,
  unique_key text,
  worker_id uuid,
  lease_expires_at timestamptz,
  cancel_requested boolean not null,
  progress jsonb,
  error text,
  created_at timestamptz not null,
  started_at timestamptz,
  constraint job_lease_check
    check ((state = 'running') = (worker_id is not null and lease_expires_at is not null))
) with (
  -- Rows come and go by the thousand: vacuum by number of dead rows, not by share, and without pauses.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);

-- Claims walk the organizations that have jobs waiting; the platform itself is one more of them.
create index job_claim_idx
  on control.job (coalesce(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'), priority, run_at, id)
  where state = 'available';
create index job_lease_idx on control.job (lease_expires_at) where state = 'running';
create unique index job_unique_key on control.job (kind, unique_key)
  where unique_key is not null and state <> 'dead';

-- Finished jobs, by the day they finished; old days are dropped.
create table control.job_finished (
  id uuid not null,
  organization_id uuid,
  kind text not null,
  payload jsonb not null,
  state text not null
    constraint job_finished_state_check check (state in ('completed', 'cancelled')),
  attempt integer not null,
  progress jsonb,
  error text,
  created_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz not null,
  primary key (id, finished_at)
) partition by range (finished_at);

create table control.job_finished_default partition of control.job_finished default;
create index job_finished_organization_id_idx on control.job_finished (organization_id, id);

-- Recurring jobs. One leader at a time turns a due row into a job and moves next_run_at on.
create table control.job_schedule (
  id uuid primary key,
  organization_id uuid,
  kind text not null,
  payload jsonb not null,
  cron text not null,
  time_zone text not null,
  jitter_seconds integer not null
    constraint job_schedule_jitter_check check (jitter_seconds between 0 and 86400),
  catch_up text not null
    constraint job_schedule_catch_up_check check (catch_up in ('once', 'skip')),
  enabled boolean not null,
  next_run_at timestamptz not null,
  last_run_at timestamptz,
  created_at timestamptz not null
);

create index job_schedule_next_run_at_idx on control.job_schedule (next_run_at) where enabled;
create unique index job_schedule_organization_kind_key
  on control.job_schedule (kind, organization_id) nulls not distinct;
