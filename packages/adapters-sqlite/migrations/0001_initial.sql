-- Everything that Sallyport 0.1 stores. Instants are Unix ms, booleans 0 or 1, json is text.

create table "gateway_keys" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "kind" text not null,
  "digest" text not null,
  "project_id" text not null,
  "grants" text not null,
  "enabled" integer not null,
  "expires_at_ms" integer,
  "last_used_at_ms" integer,
  primary key ("id")
) strict;
create unique index "uq_gateway_keys_digest" on "gateway_keys" ("digest");
create index "ix_gateway_keys_kind" on "gateway_keys" ("kind");

create table "runs" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "status" text not null,
  "model" text not null,
  "input" text not null,
  "tools" text not null,
  "options" text not null,
  "caller" text not null,
  "text" text,
  "output" text,
  "error" text,
  "usage" text not null,
  "steps" integer not null,
  "attempt" integer not null,
  "lease_until_ms" integer not null,
  "holder" text,
  "cancel_requested" integer not null,
  "cancel_reason" text,
  "idempotency_key" text,
  "payload_hash" text not null,
  "started_at_ms" integer,
  "finished_at_ms" integer,
  primary key ("id")
) strict;
create unique index "uq_runs_project_id_idempotency_key" on "runs" ("project_id", "idempotency_key");
create index "ix_runs_status_lease_until_ms" on "runs" ("status", "lease_until_ms");
create index "ix_runs_status_cancel_requested" on "runs" ("status", "cancel_requested");
create index "ix_runs_project_id_created_at_ms" on "runs" ("project_id", "created_at_ms");

create table "run_events" (
  "stream" text not null,
  "seq" integer not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "event" text not null,
  primary key ("stream", "seq")
) strict;
create index "ix_run_events_at_ms" on "run_events" ("at_ms");

create table "run_steps" (
  "stream" text not null,
  "seq" integer not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "attempt" integer not null,
  "step" integer not null,
  "kind" text not null,
  "body" text not null,
  primary key ("stream", "seq")
) strict;
create index "ix_run_steps_at_ms" on "run_steps" ("at_ms");

create table "tasks" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "type" text not null,
  "status" text not null,
  "payload" text,
  "result" text,
  "error" text,
  "priority" integer not null,
  "due_at_ms" integer not null,
  "ready_at_ms" integer not null,
  "attempt" integer not null,
  "uncounted" integer not null,
  "max_attempts" integer not null,
  "backoff_ms" integer not null,
  "lease_ms" integer not null,
  "holder" text,
  "cancel_requested" integer not null,
  "cancel_reason" text,
  "dead_letter" integer not null,
  "idempotency_key" text,
  "payload_hash" text not null,
  "created_by" text not null,
  "started_at_ms" integer,
  "finished_at_ms" integer,
  primary key ("id")
) strict;
create unique index "uq_tasks_project_id_idempotency_key" on "tasks" ("project_id", "idempotency_key");
create index "ix_tasks_status_type_priority_ready_at_ms_id" on "tasks" ("status", "type", "priority", "ready_at_ms", "id");
create index "ix_tasks_status_cancel_requested" on "tasks" ("status", "cancel_requested");
create index "ix_tasks_project_id_created_at_ms" on "tasks" ("project_id", "created_at_ms");

create table "usage_entries" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "caller_id" text not null,
  "kind" text not null,
  "name" text not null,
  "provider" text,
  "model" text,
  "run_id" text,
  "input_tokens" integer,
  "cache_read_tokens" integer,
  "cache_write_tokens" integer,
  "output_tokens" integer,
  "reasoning_tokens" integer,
  "cost_nano_usd" integer,
  "estimated" integer not null,
  "partial" integer not null,
  "status" integer not null,
  "duration_ms" integer not null,
  primary key ("id")
) strict;
create index "ix_usage_entries_project_id_at_ms" on "usage_entries" ("project_id", "at_ms");
create index "ix_usage_entries_caller_id_at_ms" on "usage_entries" ("caller_id", "at_ms");
create index "ix_usage_entries_name_at_ms" on "usage_entries" ("name", "at_ms");
create index "ix_usage_entries_kind_at_ms" on "usage_entries" ("kind", "at_ms");
create index "ix_usage_entries_run_id" on "usage_entries" ("run_id");
create index "ix_usage_entries_at_ms" on "usage_entries" ("at_ms");

create table "audit_entries" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "caller_id" text not null,
  "action" text not null,
  "target" text not null,
  "request_id" text not null,
  "outcome" text not null,
  "code" text,
  "status" integer not null,
  "duration_ms" integer not null,
  primary key ("id")
) strict;
create index "ix_audit_entries_project_id_at_ms" on "audit_entries" ("project_id", "at_ms");
create index "ix_audit_entries_caller_id_at_ms" on "audit_entries" ("caller_id", "at_ms");
create index "ix_audit_entries_request_id" on "audit_entries" ("request_id");
create index "ix_audit_entries_at_ms" on "audit_entries" ("at_ms");

create table "sallyport_changes" (
  "id" integer not null primary key autoincrement,
  "entity" text not null,
  "row_id" text not null,
  "version" integer not null
) strict;
create index "ix_sallyport_changes_entity_row_id" on "sallyport_changes" ("entity", "row_id");

create table "sallyport_log_heads" (
  "log" text not null,
  "stream" text not null,
  "last_seq" integer not null,
  primary key ("log", "stream")
) strict;
