drop index control.organization_provisioning_idx;
drop index control.organization_schema_version_idx;
drop table control.schema_rollout_failure;
drop table control.schema_rollout;
