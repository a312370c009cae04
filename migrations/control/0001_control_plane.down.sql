drop table control.erasure_ledger;
drop table control.idempotency_key;
drop table control.tenant_key;
drop table control.organization;
drop schema control;
