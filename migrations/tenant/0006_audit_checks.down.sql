alter table {tenant}.audit_event
  drop constraint audit_event_outcome_check,
  drop constraint audit_event_actor_kind_check,
  add constraint audit_event_outcome_check check (outcome in ('success', 'failure')) not valid,
  add constraint audit_event_actor_kind_check
    check (actor_kind in ('user', 'client', 'operator', 'system', 'anonymous')) not valid;
