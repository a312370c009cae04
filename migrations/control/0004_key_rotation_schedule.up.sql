-- Organizations that were made before keys rotated get the nightly job that new ones have from the beginning.
insert into control.job_schedule
  (id, organization_id, kind, payload, cron, time_zone, jitter_seconds, catch_up, enabled, next_run_at, created_at)
select gen_random_uuid(), id, 'keys.rotate', jsonb_build_object('organization', id::text), '0 0 * * *', 'GMT', 72000,
       'once', true, now() + random() * interval '20 hours', now()
  from control.organization
 where status not in ('deleting', 'deleted')
    on conflict do nothing;
