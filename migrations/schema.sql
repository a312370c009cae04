CREATE SCHEMA control;

CREATE SCHEMA {tenant};

CREATE TABLE control.erasure_ledger (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    request_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    CONSTRAINT erasure_ledger_completed_check CHECK (((state = 'done'::text) = (completed_at IS NOT NULL))),
    CONSTRAINT erasure_ledger_state_check CHECK ((state = ANY (ARRAY['intent'::text, 'done'::text])))
);

CREATE TABLE control.idempotency_key (
    key_hash bytea NOT NULL,
    organization_id uuid,
    request_mac bytea NOT NULL,
    resource_id text NOT NULL,
    sealed_secret bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE control.job (
    id uuid NOT NULL,
    organization_id uuid,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    priority smallint NOT NULL,
    state text NOT NULL,
    run_at timestamp with time zone NOT NULL,
    attempt integer NOT NULL,
    attempt_max integer NOT NULL,
    unique_key text,
    worker_id uuid,
    lease_expires_at timestamp with time zone,
    cancel_requested boolean NOT NULL,
    progress jsonb,
    error text,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    CONSTRAINT job_lease_check CHECK (((state = 'running'::text) = ((worker_id IS NOT NULL) AND (lease_expires_at IS NOT NULL)))),
    CONSTRAINT job_state_check CHECK ((state = ANY (ARRAY['available'::text, 'running'::text, 'dead'::text])))
)
WITH (autovacuum_vacuum_scale_factor='0', autovacuum_vacuum_threshold='5000', autovacuum_vacuum_cost_delay='0');

CREATE TABLE control.job_finished (
    id uuid NOT NULL,
    organization_id uuid,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL,
    attempt integer NOT NULL,
    progress jsonb,
    error text,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    CONSTRAINT job_finished_state_check CHECK ((state = ANY (ARRAY['completed'::text, 'cancelled'::text])))
)
PARTITION BY RANGE (finished_at);

CREATE TABLE control.job_finished_default (
    id uuid NOT NULL,
    organization_id uuid,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    state text NOT NULL,
    attempt integer NOT NULL,
    progress jsonb,
    error text,
    created_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone,
    finished_at timestamp with time zone NOT NULL,
    CONSTRAINT job_finished_state_check CHECK ((state = ANY (ARRAY['completed'::text, 'cancelled'::text])))
);

CREATE TABLE control.job_schedule (
    id uuid NOT NULL,
    organization_id uuid,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    cron text NOT NULL,
    time_zone text NOT NULL,
    jitter_seconds integer NOT NULL,
    catch_up text NOT NULL,
    enabled boolean NOT NULL,
    next_run_at timestamp with time zone NOT NULL,
    last_run_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    CONSTRAINT job_schedule_catch_up_check CHECK ((catch_up = ANY (ARRAY['once'::text, 'skip'::text]))),
    CONSTRAINT job_schedule_jitter_check CHECK (((jitter_seconds >= 0) AND (jitter_seconds <= 86400)))
);

CREATE TABLE control.organization (
    id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    schema_name text NOT NULL,
    schema_version integer NOT NULL,
    epoch bigint NOT NULL,
    settings jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    deleted_at timestamp with time zone,
    CONSTRAINT organization_deleted_check CHECK (((status = 'deleted'::text) = (deleted_at IS NOT NULL))),
    CONSTRAINT organization_status_check CHECK ((status = ANY (ARRAY['provisioning'::text, 'active'::text, 'read_only'::text, 'suspended'::text, 'deleting'::text, 'deleted'::text])))
);

CREATE TABLE control.schema_migration (
    version integer NOT NULL,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp with time zone NOT NULL
);

CREATE TABLE control.schema_rollout (
    id uuid NOT NULL,
    target_version integer NOT NULL,
    state text NOT NULL,
    wave integer NOT NULL,
    migrated bigint NOT NULL,
    failure_percent_max integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT schema_rollout_failure_percent_max_check CHECK (((failure_percent_max >= 0) AND (failure_percent_max <= 100))),
    CONSTRAINT schema_rollout_state_check CHECK ((state = ANY (ARRAY['running'::text, 'paused'::text, 'stopped'::text, 'completed'::text])))
);

CREATE TABLE control.schema_rollout_failure (
    rollout_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    error text NOT NULL,
    failed_at timestamp with time zone NOT NULL
);

CREATE TABLE control.spare_schema (
    organization_id uuid NOT NULL,
    name text NOT NULL,
    published boolean NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE control.tenant_key (
    organization_id uuid NOT NULL,
    version integer NOT NULL,
    wrapped bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE {tenant}.audit_event (
    seq bigint NOT NULL,
    id uuid NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    action text NOT NULL,
    outcome text NOT NULL,
    actor_kind text NOT NULL,
    actor_id text,
    subject_id uuid,
    request_id text,
    detail jsonb NOT NULL,
    personal bytea,
    commitment bytea NOT NULL,
    commitment_key bytea,
    CONSTRAINT audit_event_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['user'::text, 'client'::text, 'operator'::text, 'system'::text, 'anonymous'::text]))),
    CONSTRAINT audit_event_outcome_check CHECK ((outcome = ANY (ARRAY['success'::text, 'failure'::text])))
);

CREATE TABLE {tenant}.audit_head (
    id smallint NOT NULL,
    last_seq bigint NOT NULL,
    CONSTRAINT audit_head_id_check CHECK ((id = 1))
);

CREATE TABLE {tenant}.client (
    id text NOT NULL,
    secret_hash bytea,
    metadata jsonb NOT NULL,
    status text NOT NULL,
    version bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    secret_sealed bytea,
    registration_token_hash bytea,
    tokens_revoked_at timestamp with time zone,
    CONSTRAINT client_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text])))
);

CREATE TABLE {tenant}.consent_event (
    id uuid NOT NULL,
    user_id uuid,
    purpose_id text NOT NULL,
    client_id text,
    scope text,
    action text NOT NULL,
    notice_version integer NOT NULL,
    notice_sha256 bytea NOT NULL,
    language text NOT NULL,
    method text NOT NULL,
    occurred_at timestamp with time zone NOT NULL,
    CONSTRAINT consent_event_action_check CHECK ((action = ANY (ARRAY['granted'::text, 'withdrawn'::text]))),
    CONSTRAINT consent_event_client_check CHECK (((purpose_id = 'application'::text) = (client_id IS NOT NULL))),
    CONSTRAINT consent_event_method_check CHECK ((method = ANY (ARRAY['consent_page'::text, 'privacy_page'::text, 'admin_api'::text])))
);

CREATE TABLE {tenant}.consent_notice (
    purpose_id text NOT NULL,
    version integer NOT NULL,
    language text NOT NULL,
    body text NOT NULL,
    sha256 bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE {tenant}.consent_purpose (
    id text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    notice_version integer NOT NULL,
    status text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT consent_purpose_status_check CHECK ((status = ANY (ARRAY['active'::text, 'retired'::text])))
);

CREATE TABLE {tenant}.credential (
    user_id uuid NOT NULL,
    kind text NOT NULL,
    secret text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT credential_kind_check CHECK ((kind = 'password'::text))
);

CREATE TABLE {tenant}.data_request (
    id uuid NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    subject_id uuid,
    channel text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    verified_at timestamp with time zone,
    due_at timestamp with time zone NOT NULL,
    completed_at timestamp with time zone,
    report jsonb,
    error text,
    CONSTRAINT data_request_channel_check CHECK ((channel = ANY (ARRAY['self_service'::text, 'admin_api'::text, 'retention'::text, 'deletion'::text]))),
    CONSTRAINT data_request_kind_check CHECK ((kind = ANY (ARRAY['export'::text, 'erasure'::text]))),
    CONSTRAINT data_request_state_check CHECK ((state = ANY (ARRAY['received'::text, 'verified'::text, 'running'::text, 'fulfilled'::text, 'refused'::text, 'failed'::text])))
);

CREATE TABLE {tenant}.export_package (
    id uuid NOT NULL,
    request_id uuid NOT NULL,
    user_id uuid NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes bigint NOT NULL,
    downloads_left integer NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    CONSTRAINT export_package_downloads_left_check CHECK ((downloads_left >= 0))
);

CREATE TABLE {tenant}.one_time_token (
    kind text NOT NULL,
    hash bytea NOT NULL,
    user_id uuid,
    payload jsonb NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    consumed_at timestamp with time zone,
    CONSTRAINT one_time_token_kind_check CHECK ((kind = ANY (ARRAY['authorization_code'::text, 'device_code'::text, 'initial_access_token'::text])))
);

CREATE TABLE {tenant}.retention_rule (
    id text NOT NULL,
    enabled boolean NOT NULL,
    keep_days integer NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    CONSTRAINT retention_rule_keep_days_check CHECK (((keep_days >= 0) AND (keep_days <= 36500)))
);

CREATE TABLE {tenant}.retention_run (
    id uuid NOT NULL,
    dry_run boolean NOT NULL,
    channel text NOT NULL,
    state text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    finished_at timestamp with time zone,
    report jsonb,
    CONSTRAINT retention_run_channel_check CHECK ((channel = ANY (ARRAY['schedule'::text, 'admin_api'::text]))),
    CONSTRAINT retention_run_state_check CHECK ((state = ANY (ARRAY['running'::text, 'completed'::text, 'failed'::text])))
);

CREATE TABLE {tenant}.session (
    id uuid NOT NULL,
    token_hash bytea NOT NULL,
    user_id uuid NOT NULL,
    auth_time timestamp with time zone NOT NULL,
    acr text NOT NULL,
    amr text[] NOT NULL,
    personal bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

CREATE TABLE {tenant}.signing_key (
    id uuid NOT NULL,
    kid text NOT NULL,
    algorithm text NOT NULL,
    state text NOT NULL,
    public_jwk jsonb NOT NULL,
    private_key bytea,
    created_at timestamp with time zone NOT NULL,
    activated_at timestamp with time zone,
    retired_at timestamp with time zone,
    deactivated_at timestamp with time zone,
    CONSTRAINT signing_key_algorithm_check CHECK ((algorithm = ANY (ARRAY['RS256'::text, 'PS256'::text, 'ES256'::text, 'ES384'::text, 'EdDSA'::text]))),
    CONSTRAINT signing_key_private_key_check CHECK (((state = 'retired'::text) = (private_key IS NULL))),
    CONSTRAINT signing_key_state_check CHECK ((state = ANY (ARRAY['next'::text, 'current'::text, 'previous'::text, 'retired'::text])))
);

CREATE TABLE {tenant}.token_family (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    client_id text NOT NULL,
    session_id uuid,
    scope text NOT NULL,
    auth_time timestamp with time zone NOT NULL,
    acr text NOT NULL,
    amr text[] NOT NULL,
    generation integer NOT NULL,
    rotated_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_reason text,
    claims jsonb,
    resources text[] DEFAULT '{}'::text[] NOT NULL,
    CONSTRAINT token_family_revoked_check CHECK (((revoked_at IS NULL) = (revoked_reason IS NULL)))
);

CREATE TABLE {tenant}.token_revocation (
    jti text NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE {tenant}.trusted_issuer (
    id uuid NOT NULL,
    issuer text NOT NULL,
    metadata jsonb NOT NULL,
    version bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL
);

CREATE TABLE {tenant}.user_account (
    id uuid NOT NULL,
    status text NOT NULL,
    subject_key bytea NOT NULL,
    profile bytea NOT NULL,
    username_index bytea,
    email_index bytea,
    phone_index bytea,
    version bigint NOT NULL,
    created_at timestamp with time zone NOT NULL,
    updated_at timestamp with time zone NOT NULL,
    last_sign_in_at timestamp with time zone,
    CONSTRAINT user_account_status_check CHECK ((status = ANY (ARRAY['active'::text, 'disabled'::text, 'erasing'::text])))
);

ALTER TABLE ONLY control.job_finished ATTACH PARTITION control.job_finished_default DEFAULT;

ALTER TABLE ONLY control.erasure_ledger
    ADD CONSTRAINT erasure_ledger_pkey PRIMARY KEY (id);

ALTER TABLE ONLY control.idempotency_key
    ADD CONSTRAINT idempotency_key_pkey PRIMARY KEY (key_hash);

ALTER TABLE ONLY control.job_finished
    ADD CONSTRAINT job_finished_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY control.job_finished_default
    ADD CONSTRAINT job_finished_default_pkey PRIMARY KEY (id, finished_at);

ALTER TABLE ONLY control.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY control.job_schedule
    ADD CONSTRAINT job_schedule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY control.organization
    ADD CONSTRAINT organization_pkey PRIMARY KEY (id);

ALTER TABLE ONLY control.organization
    ADD CONSTRAINT organization_schema_name_key UNIQUE (schema_name);

ALTER TABLE ONLY control.schema_migration
    ADD CONSTRAINT schema_migration_pkey PRIMARY KEY (version);

ALTER TABLE ONLY control.schema_rollout_failure
    ADD CONSTRAINT schema_rollout_failure_pkey PRIMARY KEY (rollout_id, organization_id);

ALTER TABLE ONLY control.schema_rollout
    ADD CONSTRAINT schema_rollout_pkey PRIMARY KEY (id);

ALTER TABLE ONLY control.spare_schema
    ADD CONSTRAINT spare_schema_name_key UNIQUE (name);

ALTER TABLE ONLY control.spare_schema
    ADD CONSTRAINT spare_schema_pkey PRIMARY KEY (organization_id);

ALTER TABLE ONLY control.tenant_key
    ADD CONSTRAINT tenant_key_pkey PRIMARY KEY (organization_id, version);

ALTER TABLE ONLY {tenant}.audit_event
    ADD CONSTRAINT audit_event_id_key UNIQUE (id);

ALTER TABLE ONLY {tenant}.audit_event
    ADD CONSTRAINT audit_event_pkey PRIMARY KEY (seq);

ALTER TABLE ONLY {tenant}.audit_head
    ADD CONSTRAINT audit_head_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.client
    ADD CONSTRAINT client_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.consent_event
    ADD CONSTRAINT consent_event_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.consent_notice
    ADD CONSTRAINT consent_notice_pkey PRIMARY KEY (purpose_id, version, language);

ALTER TABLE ONLY {tenant}.consent_purpose
    ADD CONSTRAINT consent_purpose_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (user_id, kind);

ALTER TABLE ONLY {tenant}.data_request
    ADD CONSTRAINT data_request_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.export_package
    ADD CONSTRAINT export_package_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.export_package
    ADD CONSTRAINT export_package_request_id_key UNIQUE (request_id);

ALTER TABLE ONLY {tenant}.one_time_token
    ADD CONSTRAINT one_time_token_pkey PRIMARY KEY (kind, hash);

ALTER TABLE ONLY {tenant}.retention_rule
    ADD CONSTRAINT retention_rule_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.retention_run
    ADD CONSTRAINT retention_run_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.session
    ADD CONSTRAINT session_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY {tenant}.signing_key
    ADD CONSTRAINT signing_key_kid_key UNIQUE (kid);

ALTER TABLE ONLY {tenant}.signing_key
    ADD CONSTRAINT signing_key_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.token_family
    ADD CONSTRAINT token_family_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.token_revocation
    ADD CONSTRAINT token_revocation_pkey PRIMARY KEY (jti);

ALTER TABLE ONLY {tenant}.trusted_issuer
    ADD CONSTRAINT trusted_issuer_issuer_key UNIQUE (issuer);

ALTER TABLE ONLY {tenant}.trusted_issuer
    ADD CONSTRAINT trusted_issuer_pkey PRIMARY KEY (id);

ALTER TABLE ONLY {tenant}.user_account
    ADD CONSTRAINT user_account_pkey PRIMARY KEY (id);

CREATE INDEX erasure_ledger_organization_id_idx ON control.erasure_ledger USING btree (organization_id, subject_id);

CREATE UNIQUE INDEX erasure_ledger_request_id_key ON control.erasure_ledger USING btree (request_id);

CREATE INDEX idempotency_key_expires_at_idx ON control.idempotency_key USING btree (expires_at);

CREATE INDEX job_claim_idx ON control.job USING btree (COALESCE(organization_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid), priority, run_at, id) WHERE (state = 'available'::text);

CREATE INDEX job_finished_organization_id_idx ON ONLY control.job_finished USING btree (organization_id, id);

CREATE INDEX job_finished_default_organization_id_id_idx ON control.job_finished_default USING btree (organization_id, id);

CREATE INDEX job_lease_idx ON control.job USING btree (lease_expires_at) WHERE (state = 'running'::text);

CREATE INDEX job_schedule_next_run_at_idx ON control.job_schedule USING btree (next_run_at) WHERE enabled;

CREATE UNIQUE INDEX job_schedule_organization_kind_key ON control.job_schedule USING btree (kind, organization_id) NULLS NOT DISTINCT;

CREATE UNIQUE INDEX job_unique_key ON control.job USING btree (kind, unique_key) WHERE ((unique_key IS NOT NULL) AND (state <> 'dead'::text));

CREATE INDEX organization_provisioning_idx ON control.organization USING btree (created_at) WHERE (status = 'provisioning'::text);

CREATE INDEX organization_schema_version_idx ON control.organization USING btree (schema_version);

CREATE UNIQUE INDEX organization_slug_key ON control.organization USING btree (slug) WHERE (status <> 'deleted'::text);

CREATE UNIQUE INDEX schema_rollout_open_key ON control.schema_rollout USING btree ((true)) WHERE (state <> 'completed'::text);

CREATE INDEX audit_event_action_idx ON {tenant}.audit_event USING btree (action, seq);

CREATE INDEX audit_event_subject_id_idx ON {tenant}.audit_event USING btree (subject_id, seq);

CREATE INDEX client_registration_token_hash_idx ON {tenant}.client USING btree (registration_token_hash) WHERE (registration_token_hash IS NOT NULL);

CREATE INDEX consent_event_user_id_idx ON {tenant}.consent_event USING btree (user_id, purpose_id, client_id, occurred_at DESC, id DESC);

CREATE INDEX data_request_subject_id_idx ON {tenant}.data_request USING btree (subject_id, id);

CREATE INDEX export_package_expires_at_idx ON {tenant}.export_package USING btree (expires_at);

CREATE INDEX export_package_user_id_idx ON {tenant}.export_package USING btree (user_id);

CREATE INDEX one_time_token_expires_at_idx ON {tenant}.one_time_token USING btree (expires_at);

CREATE INDEX one_time_token_user_id_idx ON {tenant}.one_time_token USING btree (user_id);

CREATE INDEX session_expires_at_idx ON {tenant}.session USING btree (expires_at);

CREATE INDEX session_user_id_idx ON {tenant}.session USING btree (user_id);

CREATE UNIQUE INDEX signing_key_current_key ON {tenant}.signing_key USING btree (algorithm) WHERE (state = 'current'::text);

CREATE UNIQUE INDEX signing_key_next_key ON {tenant}.signing_key USING btree (algorithm) WHERE (state = 'next'::text);

CREATE INDEX token_family_client_id_idx ON {tenant}.token_family USING btree (client_id);

CREATE INDEX token_family_expires_at_idx ON {tenant}.token_family USING btree (expires_at);

CREATE INDEX token_family_session_id_idx ON {tenant}.token_family USING btree (session_id);

CREATE INDEX token_family_user_id_idx ON {tenant}.token_family USING btree (user_id, client_id);

CREATE INDEX token_revocation_expires_at_idx ON {tenant}.token_revocation USING btree (expires_at);

CREATE UNIQUE INDEX user_account_email_index_key ON {tenant}.user_account USING btree (email_index);

CREATE INDEX user_account_phone_index_idx ON {tenant}.user_account USING btree (phone_index);

CREATE UNIQUE INDEX user_account_username_index_key ON {tenant}.user_account USING btree (username_index);

ALTER INDEX control.job_finished_organization_id_idx ATTACH PARTITION control.job_finished_default_organization_id_id_idx;

ALTER INDEX control.job_finished_pkey ATTACH PARTITION control.job_finished_default_pkey;

ALTER TABLE ONLY control.schema_rollout_failure
    ADD CONSTRAINT schema_rollout_failure_rollout_id_fkey FOREIGN KEY (rollout_id) REFERENCES control.schema_rollout(id) ON DELETE CASCADE;

ALTER TABLE ONLY control.tenant_key
    ADD CONSTRAINT tenant_key_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES control.organization(id);

ALTER TABLE ONLY {tenant}.consent_event
    ADD CONSTRAINT consent_event_purpose_id_fkey FOREIGN KEY (purpose_id) REFERENCES {tenant}.consent_purpose(id);

ALTER TABLE ONLY {tenant}.consent_event
    ADD CONSTRAINT consent_event_user_id_fkey FOREIGN KEY (user_id) REFERENCES {tenant}.user_account(id);

ALTER TABLE ONLY {tenant}.consent_notice
    ADD CONSTRAINT consent_notice_purpose_id_fkey FOREIGN KEY (purpose_id) REFERENCES {tenant}.consent_purpose(id);

ALTER TABLE ONLY {tenant}.credential
    ADD CONSTRAINT credential_user_id_fkey FOREIGN KEY (user_id) REFERENCES {tenant}.user_account(id);

ALTER TABLE ONLY {tenant}.export_package
    ADD CONSTRAINT export_package_request_id_fkey FOREIGN KEY (request_id) REFERENCES {tenant}.data_request(id);

ALTER TABLE ONLY {tenant}.export_package
    ADD CONSTRAINT export_package_user_id_fkey FOREIGN KEY (user_id) REFERENCES {tenant}.user_account(id);

ALTER TABLE ONLY {tenant}.one_time_token
    ADD CONSTRAINT one_time_token_user_id_fkey FOREIGN KEY (user_id) REFERENCES {tenant}.user_account(id);

ALTER TABLE ONLY {tenant}.session
    ADD CONSTRAINT session_user_id_fkey FOREIGN KEY (user_id) REFERENCES {tenant}.user_account(id);

ALTER TABLE ONLY {tenant}.token_family
    ADD CONSTRAINT token_family_client_id_fkey FOREIGN KEY (client_id) REFERENCES {tenant}.client(id);

ALTER TABLE ONLY {tenant}.token_family
    ADD CONSTRAINT token_family_session_id_fkey FOREIGN KEY (session_id) REFERENCES {tenant}.session(id);

ALTER TABLE ONLY {tenant}.token_family
    ADD CONSTRAINT token_family_user_id_fkey FOREIGN KEY (user_id) REFERENCES {tenant}.user_account(id);
