// Made by tools/make-migration.mjs --embed from migrations/*.sql.
import type { Migration } from "@sallyport/sql";

export const shippedMigrations: readonly Migration[] = [
  {
    id: "0001_initial",
    text: `-- Everything that Sallyport 0.1 stores. Instants are Unix ms, booleans 0 or 1, json is text.

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
`,
  },
  {
    id: "0002_opaque_tokens",
    text: `-- What a vendor sealed and a caller's dialect cannot carry, by tool call, for a day.

create table "opaque_tokens" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "call_hash" text not null,
  "sealed" text not null,
  primary key ("id")
) strict;
create index "ix_opaque_tokens_call_hash_at_ms" on "opaque_tokens" ("call_hash", "at_ms");
create index "ix_opaque_tokens_at_ms" on "opaque_tokens" ("at_ms");
`,
  },
  {
    id: "0003_routes",
    text: `-- Routes that are stored, and why a call was made when the gateway itself made it.

alter table "usage_entries" add column "purpose" text;

create table "routes" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "strategy" text not null,
  "targets" text not null,
  "sticky" text not null,
  "timeouts" text not null,
  "retries" text not null,
  "fallback_on" text not null,
  "context_overflow" text,
  "hedge_after_ms" integer,
  "canary" text,
  "shadow" text,
  primary key ("id")
) strict;

create unique index "uq_routes_name" on "routes" ("name");

`,
  },
  {
    id: "0004_stored_responses",
    text: `-- Responses of OpenAI's dialect that are kept, their items by id, and the events of those made in the background.

create table "stored_responses" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "status" text not null,
  "background" integer not null,
  "chain" text not null,
  "input" text not null,
  "response" text not null,
  "provider" text,
  "holder" text,
  "lease_until_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_stored_responses_expires_at_ms" on "stored_responses" ("expires_at_ms");

create index "ix_stored_responses_project_id_created_at_ms" on "stored_responses" ("project_id", "created_at_ms");

create table "stored_response_items" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "item_id" text not null,
  "response_id" text not null,
  primary key ("id"),
  constraint "fk_stored_response_items_response_id" foreign key ("response_id") references "stored_responses" ("id")
) strict;

create unique index "uq_stored_response_items_project_id_item_id" on "stored_response_items" ("project_id", "item_id");

create index "ix_stored_response_items_response_id" on "stored_response_items" ("response_id");

create table "stored_response_events" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "response_id" text not null,
  "last_sequence" integer not null,
  "events" text not null,
  primary key ("id"),
  constraint "fk_stored_response_events_response_id" foreign key ("response_id") references "stored_responses" ("id")
) strict;

create unique index "uq_stored_response_events_response_id_last_sequence" on "stored_response_events" ("response_id", "last_sequence");
`,
  },
  {
    id: "0005_usage_detail",
    text: `-- What a call was for, what it used beside tokens, and how many times a provider was asked.

alter table "usage_entries" add column "operation" text;
alter table "usage_entries" add column "detail" text;
alter table "usage_entries" add column "attempts" integer;
`,
  },
  {
    id: "0006_vendor_objects",
    text: `-- Films being made, batches and files: objects of vendors under ids of ours, the pieces of files, and what became of each request of a batch.

create table "vendor_objects" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "kind" text not null,
  "status" text not null,
  "purpose" text not null,
  "model" text,
  "provider" text,
  "ref" text,
  "key_print" text,
  "caller" text not null,
  "data" text not null,
  "error" text,
  "total" integer not null,
  "completed" integer not null,
  "failed" integer not null,
  "ready_at_ms" integer not null,
  "attempt" integer not null,
  "cancel_requested" integer not null,
  "expires_at_ms" integer,
  "idempotency_key" text,
  "payload_hash" text not null,
  "started_at_ms" integer,
  "finished_at_ms" integer,
  primary key ("id")
) strict;

create unique index "uq_vendor_objects_project_id_idempotency_key" on "vendor_objects" ("project_id", "idempotency_key");

create index "ix_vendor_objects_status_kind_ready_at_ms" on "vendor_objects" ("status", "kind", "ready_at_ms");

create index "ix_vendor_objects_project_id_kind_created_at_ms" on "vendor_objects" ("project_id", "kind", "created_at_ms");

create index "ix_vendor_objects_project_id_kind_purpose_created_at_ms" on "vendor_objects" ("project_id", "kind", "purpose", "created_at_ms");

create index "ix_vendor_objects_expires_at_ms" on "vendor_objects" ("expires_at_ms");

create table "file_chunks" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "file_id" text not null,
  "data" text not null,
  primary key ("id"),
  constraint "fk_file_chunks_file_id" foreign key ("file_id") references "vendor_objects" ("id")
) strict;

create index "ix_file_chunks_file_id" on "file_chunks" ("file_id");

create table "batch_lines" (
  "stream" text not null,
  "seq" integer not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "custom_id" text not null,
  "ok" integer not null,
  "status" integer not null,
  "request_id" text not null,
  "body" text not null,
  primary key ("stream", "seq")
) strict;

create index "ix_batch_lines_at_ms" on "batch_lines" ("at_ms");
`,
  },
  {
    id: "0007_usage_tried",
    text: `-- The attempts of a call that needed several.

alter table "usage_entries" add column "tried" text;
`,
  },
  {
    id: "0010_access",
    text: `-- Keys that are rotated, bounded and brought from elsewhere; users, teams, projects, roles, web sessions, and the ledger of who signed in.

alter table "gateway_keys" rename column "grants" to "scopes";
alter table "gateway_keys" add column "environment" text;
alter table "gateway_keys" add column "prefix" text;
alter table "gateway_keys" add column "user_id" text;
alter table "gateway_keys" add column "team_id" text;
alter table "gateway_keys" add column "parent_id" text;
alter table "gateway_keys" add column "rate_limit" text;
alter table "gateway_keys" add column "previous_digest" text;
alter table "gateway_keys" add column "previous_until_ms" integer;
alter table "gateway_keys" add column "legacy_hash" text;
alter table "gateway_keys" add column "legacy_scheme" text;
alter table "gateway_keys" add column "revoked_at_ms" integer;
alter table "gateway_keys" add column "created_by" text;
alter table "gateway_keys" add column "metadata" text;

create index "ix_gateway_keys_project_id_created_at_ms" on "gateway_keys" ("project_id", "created_at_ms");

create index "ix_gateway_keys_parent_id" on "gateway_keys" ("parent_id");

create index "ix_gateway_keys_user_id" on "gateway_keys" ("user_id");

create table "users" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "username" text not null,
  "name" text,
  "email" text,
  "password_hash" text,
  "external_id" text,
  "enabled" integer not null,
  "last_login_at_ms" integer,
  "sessions_from_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_users_username" on "users" ("username");

create unique index "uq_users_external_id" on "users" ("external_id");

create index "ix_users_project_id_created_at_ms" on "users" ("project_id", "created_at_ms");

create table "teams" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "description" text,
  primary key ("id")
) strict;

create unique index "uq_teams_project_id_name" on "teams" ("project_id", "name");

create index "ix_teams_project_id_created_at_ms" on "teams" ("project_id", "created_at_ms");

create index "ix_teams_name" on "teams" ("name");

create table "projects" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "description" text,
  "metadata" text,
  "created_by" text,
  primary key ("id")
) strict;

create index "ix_projects_project_id_created_at_ms" on "projects" ("project_id", "created_at_ms");

create index "ix_projects_name" on "projects" ("name");

create table "roles" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "description" text,
  "scopes" text not null,
  primary key ("id")
) strict;

create unique index "uq_roles_project_id_name" on "roles" ("project_id", "name");

create index "ix_roles_project_id_created_at_ms" on "roles" ("project_id", "created_at_ms");

create index "ix_roles_name" on "roles" ("name");

create table "role_bindings" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "user_id" text not null,
  "role" text not null,
  "scope" text not null,
  "scope_id" text not null,
  "created_by" text,
  primary key ("id"),
  constraint "fk_role_bindings_user_id" foreign key ("user_id") references "users" ("id")
) strict;

create unique index "uq_role_bindings_user_id_role_scope_scope_id" on "role_bindings" ("user_id", "role", "scope", "scope_id");

create index "ix_role_bindings_project_id_created_at_ms" on "role_bindings" ("project_id", "created_at_ms");

create index "ix_role_bindings_user_id" on "role_bindings" ("user_id");

create index "ix_role_bindings_role" on "role_bindings" ("role");

create table "web_sessions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "user_id" text not null,
  "digest" text not null,
  "by" text not null,
  "began_at_ms" integer not null,
  "last_seen_at_ms" integer not null,
  "expires_at_ms" integer not null,
  "revoked_at_ms" integer,
  "address" text,
  "agent" text,
  primary key ("id"),
  constraint "fk_web_sessions_user_id" foreign key ("user_id") references "users" ("id")
) strict;

create unique index "uq_web_sessions_digest" on "web_sessions" ("digest");

create index "ix_web_sessions_user_id" on "web_sessions" ("user_id");

create index "ix_web_sessions_expires_at_ms" on "web_sessions" ("expires_at_ms");

create table "sign_in_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "digest" text not null,
  "cookie_digest" text not null,
  "provider" text not null,
  "return_to" text,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_sign_in_states_digest" on "sign_in_states" ("digest");

create index "ix_sign_in_states_expires_at_ms" on "sign_in_states" ("expires_at_ms");

create table "auth_events" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "kind" text not null,
  "outcome" text not null,
  "caller_id" text,
  "target_id" text,
  "address" text,
  "request_id" text,
  "detail" text,
  primary key ("id")
) strict;

create index "ix_auth_events_project_id_at_ms" on "auth_events" ("project_id", "at_ms");

create index "ix_auth_events_kind_at_ms" on "auth_events" ("kind", "at_ms");

create index "ix_auth_events_caller_id_at_ms" on "auth_events" ("caller_id", "at_ms");

create index "ix_auth_events_target_id_at_ms" on "auth_events" ("target_id", "at_ms");

create index "ix_auth_events_at_ms" on "auth_events" ("at_ms");
`,
  },
  {
    id: "0011_idempotency_keys",
    text: `-- Creations that their callers may repeat: what was asked, and what was answered.

create table "idempotency_keys" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "caller_id" text not null,
  "key" text not null,
  "payload_hash" text not null,
  "state" text not null,
  "status" integer,
  "answer" text,
  "withheld" text not null,
  "lease_until_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_idempotency_keys_project_id_caller_id_key" on "idempotency_keys" ("project_id", "caller_id", "key");

create index "ix_idempotency_keys_expires_at_ms" on "idempotency_keys" ("expires_at_ms");
`,
  },
  {
    id: "0012_limits",
    text: `-- How much subjects may use.
create table "rate_limits" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "subject" text not null,
  "subject_id" text not null,
  "requests_per_minute" integer,
  "tokens_per_minute" integer,
  "concurrency" integer,
  "enabled" integer not null,
  primary key ("id")
) strict;

create unique index "uq_rate_limits_subject_subject_id" on "rate_limits" ("subject", "subject_id");

-- Answers of a route that are kept.
alter table "routes" add column "cache" text;
`,
  },
  {
    id: "0013_money",
    text: `-- What calls cost: who a usage row counts for, budgets, what is set aside from them, and which calls are under way.
alter table "usage_entries" add column "key_id" text;

alter table "usage_entries" add column "user_id" text;

alter table "usage_entries" add column "team_id" text;

alter table "usage_entries" add column "agent_id" text;

alter table "usage_entries" add column "request_id" text;

alter table "usage_entries" add column "server" text;

alter table "usage_entries" add column "unpriced" integer;

alter table "usage_entries" add column "saved_nano_usd" integer;

create index "ix_usage_entries_project_id_at_ms_caller_id_key_id_use_4e1a94b0" on "usage_entries" ("project_id", "at_ms", "caller_id", "key_id", "user_id", "team_id", "agent_id");

create index "ix_usage_entries_name_at_ms_kind_server" on "usage_entries" ("name", "at_ms", "kind", "server");

create index "ix_usage_entries_request_id" on "usage_entries" ("request_id");

create table "budgets" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "scope" text not null,
  "scope_id" text,
  "amount_usd" text not null,
  "period" text not null,
  "timezone" text not null,
  "hard" integer not null,
  "thresholds" text not null,
  "enabled" integer not null,
  "all_projects" integer,
  primary key ("id")
) strict;

create index "ix_budgets_project_id_created_at_ms" on "budgets" ("project_id", "created_at_ms");

create index "ix_budgets_scope_scope_id" on "budgets" ("scope", "scope_id");

create table "budget_windows" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "budget_id" text not null,
  "budget_version" integer not null,
  "start_ms" integer not null,
  "end_ms" integer,
  "limit_nano_usd" integer not null,
  "left_nano_usd" integer not null,
  "spent_nano_usd" integer not null,
  "reserved_nano_usd" integer not null,
  "fired_percent" integer not null,
  primary key ("id")
) strict;

create index "ix_budget_windows_budget_id_start_ms" on "budget_windows" ("budget_id", "start_ms");

create table "reservations" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "call" text not null,
  "provider" text,
  "model" text,
  "amount_nano_usd" integer,
  "shares" text not null,
  "shares_nano_usd" integer not null,
  "expires_at_ms" integer not null,
  "attempt" integer not null,
  primary key ("id")
) strict;

create index "ix_reservations_expires_at_ms" on "reservations" ("expires_at_ms");

create table "open_calls" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "calls" text not null,
  "expires_at_ms" integer not null,
  "attempt" integer not null,
  primary key ("id")
) strict;

create index "ix_open_calls_expires_at_ms" on "open_calls" ("expires_at_ms");

drop index "ix_usage_entries_caller_id_at_ms";
drop index "ix_usage_entries_kind_at_ms";
drop index "ix_usage_entries_name_at_ms";
drop index "ix_usage_entries_project_id_at_ms";
`,
  },
  {
    id: "0014_guardrails",
    text: `-- Guardrails that were stored, and what guardrails found.
create table "guardrails" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "enabled" integer not null,
  "priority" integer not null,
  "stages" text not null,
  "kind" text not null,
  "settings" text not null,
  "action" text not null,
  "severity" text,
  "unseen" text,
  "applies" text not null,
  primary key ("id")
) strict;

create unique index "uq_guardrails_name" on "guardrails" ("name");

create table "detections" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "request_id" text not null,
  "call_id" text,
  "guardrail" text not null,
  "stage" text not null,
  "type" text not null,
  "severity" text not null,
  "action" text not null,
  "pattern" text not null,
  "confidence" integer not null,
  "excerpt" text not null,
  "caller_id" text not null,
  "key_id" text,
  "model" text,
  "server" text,
  "tool" text,
  primary key ("id")
) strict;

create index "ix_detections_project_id_at_ms" on "detections" ("project_id", "at_ms");

create index "ix_detections_request_id" on "detections" ("request_id");

create index "ix_detections_guardrail_at_ms" on "detections" ("guardrail", "at_ms");

create index "ix_detections_type_at_ms" on "detections" ("type", "at_ms");

create index "ix_detections_severity_at_ms" on "detections" ("severity", "at_ms");

create index "ix_detections_action_at_ms" on "detections" ("action", "at_ms");

create index "ix_detections_caller_id_at_ms" on "detections" ("caller_id", "at_ms");

create index "ix_detections_server_at_ms" on "detections" ("server", "at_ms");

create index "ix_detections_at_ms" on "detections" ("at_ms");
`,
  },
  {
    id: "0015_telemetry",
    text: `-- Who is behind a call and why; spans beside usage rows; alert rules, channels, alerts and what is told of them.

alter table "audit_entries" add column "actor_kind" text;
alter table "audit_entries" add column "key_id" text;
alter table "audit_entries" add column "user_id" text;
alter table "audit_entries" add column "team_id" text;
alter table "audit_entries" add column "resource_type" text;
alter table "audit_entries" add column "source" text;
alter table "audit_entries" add column "purpose" text;
alter table "audit_entries" add column "parameters" text;
alter table "audit_entries" add column "changed" text;

create table "trace_spans" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "trace_id" text not null,
  "span_id" text not null,
  "parent_id" text,
  "request_id" text not null,
  "call_id" text not null,
  "run_id" text,
  "kind" text not null,
  "name" text not null,
  "provider" text,
  "model" text,
  "status" text not null,
  "status_code" integer,
  "code" text,
  "started_at_ms" integer not null,
  "duration_ms" integer not null,
  "request_bytes" integer,
  "response_bytes" integer,
  "cost_nano_usd" integer,
  "attributes" text,
  primary key ("id")
) strict;

create index "ix_trace_spans_request_id" on "trace_spans" ("request_id");

create index "ix_trace_spans_trace_id" on "trace_spans" ("trace_id");

create index "ix_trace_spans_at_ms" on "trace_spans" ("at_ms");

create table "alert_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "metric" text not null,
  "condition" text not null,
  "threshold" text not null,
  "window_minutes" integer not null,
  "severity" text not null,
  "channels" text not null,
  "filters" text not null,
  "enabled" integer not null,
  "due_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_alert_rules_enabled_due_at_ms" on "alert_rules" ("enabled", "due_at_ms");

create table "alert_channels" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "kind" text not null,
  "settings" text not null,
  "secret" text,
  "enabled" integer not null,
  primary key ("id")
) strict;

create table "alerts" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "rule_id" text not null,
  "open_key" text not null,
  "status" text not null,
  "rule_name" text not null,
  "metric" text not null,
  "severity" text not null,
  "value" text not null,
  "threshold" text not null,
  "message" text not null,
  "started_at_ms" integer not null,
  "acknowledged_at_ms" integer,
  "acknowledged_by" text,
  "resolved_at_ms" integer,
  "resolved_by" text,
  primary key ("id")
) strict;

create unique index "uq_alerts_open_key" on "alerts" ("open_key");

create index "ix_alerts_status_started_at_ms" on "alerts" ("status", "started_at_ms");

create index "ix_alerts_started_at_ms" on "alerts" ("started_at_ms");

create index "ix_alerts_rule_id_started_at_ms" on "alerts" ("rule_id", "started_at_ms");

create table "alert_notifications" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "alert_id" text not null,
  "channel_id" text not null,
  "event" text not null,
  "status" text not null,
  "attempt" integer not null,
  "due_at_ms" integer not null,
  "sent_at_ms" integer,
  "error" text,
  primary key ("id"),
  constraint "fk_alert_notifications_alert_id" foreign key ("alert_id") references "alerts" ("id")
) strict;

create index "ix_alert_notifications_status_due_at_ms" on "alert_notifications" ("status", "due_at_ms");

create index "ix_alert_notifications_alert_id" on "alert_notifications" ("alert_id");
`,
  },
  {
    id: "0016_data_keys",
    text: `-- The keys that stored secrets are sealed with, wrapped with the operator's secret.

create table "data_keys" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "state" text not null,
  "wrapped_by" text not null,
  "wrapped" text not null,
  "retired_at_ms" integer,
  primary key ("id")
) strict;

create index "ix_data_keys_state" on "data_keys" ("state");
`,
  },
  {
    id: "0017_approvals",
    text: `-- What waits for a person, and how much care tools need.

alter table "runs" add column "waiting_since_ms" integer;
alter table "runs" add column "waited_ms" integer;

create table "tool_classifications" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "tool" text not null,
  "class" text not null,
  "requires_approval" integer not null,
  "note" text,
  primary key ("id")
) strict;

create unique index "uq_tool_classifications_server_tool" on "tool_classifications" ("server", "tool");

create table "tool_permissions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "subject" text not null,
  "subject_id" text not null,
  "server" text not null,
  "tool" text not null,
  "max_uses_day" integer,
  "expires_at_ms" integer,
  primary key ("id")
) strict;

create index "ix_tool_permissions_subject_subject_id" on "tool_permissions" ("subject", "subject_id");

create table "approval_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "server" text not null,
  "tool" text not null,
  "caller_id" text,
  "conditions" text not null,
  "expires_at_ms" integer,
  "created_by" text not null,
  "approval_id" text,
  primary key ("id")
) strict;

create index "ix_approval_rules_project_id" on "approval_rules" ("project_id");

create table "approvals" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "status" text not null,
  "caller_id" text not null,
  "caller_name" text not null,
  "caller_ids" text not null,
  "server" text not null,
  "tool" text not null,
  "class" text not null,
  "arguments_hash" text not null,
  "open_key" text not null,
  "arguments" text not null,
  "edited" text,
  "request_id" text not null,
  "run_id" text,
  "expires_at_ms" integer not null,
  "decided_by" text,
  "decided_at_ms" integer,
  "note" text,
  primary key ("id")
) strict;

create unique index "uq_approvals_open_key" on "approvals" ("open_key");

create index "ix_approvals_project_id_created_at_ms" on "approvals" ("project_id", "created_at_ms");

create index "ix_approvals_status_expires_at_ms" on "approvals" ("status", "expires_at_ms");

create index "ix_approvals_run_id" on "approvals" ("run_id");
`,
  },
  {
    id: "0018_providers",
    text: `-- Providers, their keys and models, kept in the store.

create table "providers" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "vendor" text,
  "base_url" text,
  "api_key" text,
  "protocols" text,
  "quirks" text,
  "auth" text,
  "enabled" integer not null,
  primary key ("id")
) strict;

create unique index "uq_providers_name" on "providers" ("name");

create table "provider_keys" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "provider" text not null,
  "label" text,
  "value" text not null,
  "weight" integer not null,
  "enabled" integer not null,
  primary key ("id")
) strict;

create index "ix_provider_keys_provider" on "provider_keys" ("provider");

create table "models" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "provider" text not null,
  "code" text not null,
  "title" text,
  "kind" text,
  "features" text,
  "context_tokens" integer,
  "max_output_tokens" integer,
  "prices" text,
  primary key ("id")
) strict;

create unique index "uq_models_provider_code" on "models" ("provider", "code");
`,
  },
  {
    id: "0019_sessions",
    text: `-- Conversations.
create table "sessions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "title" text,
  "user_id" text,
  "agent_id" text,
  "provider" text,
  "model" text,
  "instructions" text,
  "mcp" text not null,
  "status" text not null,
  "message_count" integer not null,
  "bytes" integer not null,
  "last_seq" integer not null,
  "last_message_at_ms" integer,
  "parent_id" text,
  "branch_seq" integer,
  "pinned" text not null,
  "summary" text,
  "summary_seq" integer not null,
  "summary_until_ms" integer not null,
  "turn_id" text,
  "last_accessed_at_ms" integer not null,
  "expires_at_ms" integer not null,
  "metadata" text not null,
  primary key ("id")
) strict;

create index "ix_sessions_project_id_created_at_ms" on "sessions" ("project_id", "created_at_ms");

create index "ix_sessions_user_id_created_at_ms" on "sessions" ("user_id", "created_at_ms");

create index "ix_sessions_agent_id_created_at_ms" on "sessions" ("agent_id", "created_at_ms");

create index "ix_sessions_parent_id_created_at_ms" on "sessions" ("parent_id", "created_at_ms");

create index "ix_sessions_last_message_at_ms" on "sessions" ("last_message_at_ms");

create index "ix_sessions_expires_at_ms_status" on "sessions" ("expires_at_ms", "status");

-- What was said in them: the stream is the session.
create table "session_messages" (
  "stream" text not null,
  "seq" integer not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "message" text not null,
  "author" text not null,
  "model" text,
  "usage" text,
  "run_id" text,
  primary key ("stream", "seq")
) strict;

create index "ix_session_messages_at_ms" on "session_messages" ("at_ms");
`,
  },
  {
    id: "0020_runtime_config",
    text: `-- Settings that are changed while the gateway runs.

create table "config_entries" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "key" text not null,
  "value" text,
  "changed_by" text,
  primary key ("id")
) strict;

create unique index "uq_config_entries_key" on "config_entries" ("key");

create table "config_revisions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "last_key" text not null,
  primary key ("id")
) strict;
`,
  },
  {
    id: "0021_nodes",
    text: `-- The gateway's processes, sessions of MCP clients as all of them know them, and what they tell each other of MCP servers.

create table "nodes" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "state" text not null,
  "release" text not null,
  "label" text not null,
  "started_at_ms" integer not null,
  "lease_until_ms" integer not null,
  "attempt" integer not null,
  "offers" text not null,
  primary key ("id")
) strict;

create index "ix_nodes_state_lease_until_ms" on "nodes" ("state", "lease_until_ms");

create table "mcp_sessions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "caller_id" text not null,
  "address" text not null,
  "revision" text not null,
  "watches" text not null,
  "log_level" integer,
  "cancelled" text not null,
  "ended_at_ms" integer,
  "moved_at_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_mcp_sessions_moved_at_ms" on "mcp_sessions" ("moved_at_ms");

create index "ix_mcp_sessions_expires_at_ms" on "mcp_sessions" ("expires_at_ms");

create table "mcp_news" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "what" text not null,
  "uri" text not null,
  "moved_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_mcp_news_moved_at_ms" on "mcp_news" ("moved_at_ms");
`,
  },
  {
    id: "0022_runs_by_caller",
    text: `-- A run's idempotency key is its caller's own: the run's id is made of both, so nothing else has to keep it apart.

drop index "uq_runs_project_id_idempotency_key";
`,
  },
  {
    id: "0023_oauth",
    text: `-- The gateway's own sign-ins at MCP servers: tokens, sign-ins that have begun, and who it is at authorization servers.

create table "oauth_tokens" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "principal" text not null,
  "state" text not null,
  "grant" text not null,
  "url" text not null,
  "issuer" text not null,
  "client_id" text not null,
  "resource" text,
  "scope" text,
  "wanted_scope" text,
  "access_token" text,
  "refresh_token" text,
  "expires_at_ms" integer,
  "refresh_expires_at_ms" integer,
  "authenticated_by" text not null,
  "authenticated_at_ms" integer not null,
  "last_refreshed_at_ms" integer,
  "last_error" text,
  "retry_at_ms" integer not null,
  "hold_until_ms" integer not null,
  "attempt" integer not null,
  primary key ("id")
) strict;

create unique index "uq_oauth_tokens_server_principal" on "oauth_tokens" ("server", "principal");

create index "ix_oauth_tokens_hold_until_ms" on "oauth_tokens" ("hold_until_ms");

create index "ix_oauth_tokens_state_expires_at_ms" on "oauth_tokens" ("state", "expires_at_ms");

create index "ix_oauth_tokens_state_refresh_expires_at_ms" on "oauth_tokens" ("state", "refresh_expires_at_ms");

-- The table oauth_states is missing.
create table "oauth_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "principal" text not null,
  "started_by" text not null,
  "issuer" text not null,
  "client_id" text not null,
  "url" text not null,
  "resource" text,
  "scope" text,
  "redirect_uri" text not null,
  "return_url" text,
  "verifier" text not null,
  "authorization_url" text not null,
  "ticket_digest" text,
  "cookie_digest" text,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_oauth_states_ticket_digest" on "oauth_states" ("ticket_digest");

create index "ix_oauth_states_expires_at_ms" on "oauth_states" ("expires_at_ms");

create index "ix_oauth_states_server_principal" on "oauth_states" ("server", "principal");

-- The table oauth_clients is missing.
create table "oauth_clients" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "issuer" text not null,
  "client_id" text,
  "client_secret" text,
  "redirect_uri" text,
  "expires_at_ms" integer,
  primary key ("id")
) strict;

create unique index "uq_oauth_clients_server" on "oauth_clients" ("server");

-- The table namespaces is missing.
`,
  },
  {
    id: "0024_mcp_shape",
    text: `-- Virtual MCP servers, stored words on tools, pinned definitions, and results that were too large to hand over.

create table "namespaces" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "servers" text not null,
  "naming" text not null,
  "conflicts" text not null,
  "names" text not null,
  "tools" text not null,
  "instructions" text,
  "restricted" integer not null,
  primary key ("id")
) strict;

create unique index "uq_namespaces_name" on "namespaces" ("name");

create table "mcp_tools" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "tool" text not null,
  "name" text,
  "title" text,
  "description" text,
  "hidden" integer not null,
  "arguments" text,
  primary key ("id")
) strict;

create unique index "uq_mcp_tools_server_tool" on "mcp_tools" ("server", "tool");

create table "tool_pins" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "tool" text not null,
  "status" text not null,
  "digest" text,
  "seen_digest" text,
  "seen_at_ms" integer,
  "decided_by" text,
  "decided_at_ms" integer,
  primary key ("id")
) strict;

create index "ix_tool_pins_server_id" on "tool_pins" ("server", "id");

create index "ix_tool_pins_status_id" on "tool_pins" ("status", "id");

create table "tool_definitions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "pin_id" text not null,
  "definition" text not null,
  primary key ("id"),
  constraint "fk_tool_definitions_pin_id" foreign key ("pin_id") references "tool_pins" ("id")
) strict;

create index "ix_tool_definitions_pin_id" on "tool_definitions" ("pin_id");

create table "tool_results" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "caller_id" text not null,
  "tool" text not null,
  "bytes" integer not null,
  "parts" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_tool_results_expires_at_ms" on "tool_results" ("expires_at_ms");

create index "ix_tool_results_caller_id_created_at_ms" on "tool_results" ("caller_id", "created_at_ms");

create table "tool_result_parts" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "result_id" text not null,
  "text" text not null,
  primary key ("id"),
  constraint "fk_tool_result_parts_result_id" foreign key ("result_id") references "tool_results" ("id")
) strict;

create index "ix_tool_result_parts_result_id" on "tool_result_parts" ("result_id");
`,
  },
  {
    id: "0025_mcp_servers",
    text: `-- MCP servers, kept in the store.

create table "mcp_servers" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "description" text,
  "type" text not null,
  "url" text,
  "command" text,
  "args" text,
  "headers" text,
  "auth_mode" text not null,
  "credential" text,
  "credential_header" text,
  "oauth" text,
  "client_secret" text,
  "openapi" text,
  "connect_timeout_ms" integer,
  "call_timeout_ms" integer,
  "trust_level" text not null,
  "tools" text,
  "pin" text,
  "enabled" integer not null,
  "created_by" text,
  primary key ("id")
) strict;

create unique index "uq_mcp_servers_name" on "mcp_servers" ("name");
`,
  },
  {
    id: "0026_enrichment",
    text: `-- Rules that add to the results of tools.

create table "enrichment_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "tool" text not null,
  "when" text not null,
  "source" text not null,
  "bindings" text not null,
  "merge" text not null,
  "position" integer not null,
  "timeout_ms" integer not null,
  "cache_ttl_ms" integer not null,
  "on_error" text not null,
  "enabled" integer not null,
  "description" text,
  primary key ("id")
) strict;

create index "ix_enrichment_rules_server_id" on "enrichment_rules" ("server", "id");

`,
  },
  {
    id: "0027_parked_calls",
    text: `-- Calls and questions of MCP that wait for somebody, and what the clients of sessions declared that they can be asked.

alter table "mcp_sessions" add column "capabilities" text not null default '{}';

create table "parked_calls" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "kind" text not null,
  "caller_id" text not null,
  "address" text not null,
  "server" text not null,
  "tool" text not null,
  "node_id" text not null,
  "state" text not null,
  "round" integer not null,
  "questions" text,
  "answers" text,
  "outcome" text,
  "moved_at_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_parked_calls_node_id_state_moved_at_ms" on "parked_calls" ("node_id", "state", "moved_at_ms");

create index "ix_parked_calls_expires_at_ms" on "parked_calls" ("expires_at_ms");

`,
  },
  {
    id: "0028_used_request_states",
    text: `-- States that clients of MCP came back with: each is of use once.

create table "used_request_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_used_request_states_expires_at_ms" on "used_request_states" ("expires_at_ms");
`,
  },
  {
    id: "0029_argument_rules",
    text: `-- The column mcp_servers.resilience is missing.
alter table "mcp_servers" add column "resilience" text;

-- The table argument_rules is missing.
create table "argument_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "description" text,
  "tools" text not null,
  "when" text not null,
  "effect" text not null,
  "message" text,
  "enabled" integer not null,
  primary key ("id")
) strict;

create unique index "uq_argument_rules_name" on "argument_rules" ("name");

-- Answers under idempotency keys are sealed: of those that stand open nobody is told any more how their calls ended, and none is made twice.
update "idempotency_keys" set "state" = 'running', "status" = null, "answer" = null, "withheld" = '[]', "lease_until_ms" = 0 where "answer" is not null;
`,
  },
  {
    id: "0030_consent_of_sign_ins",
    text: `-- Sign-ins at MCP servers that have begun last ten minutes: those of before are over.
drop table "oauth_states";

create table "oauth_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "principal" text not null,
  "started_by" text not null,
  "issuer" text not null,
  "client_id" text not null,
  "url" text not null,
  "resource" text,
  "scope" text,
  "redirect_uri" text not null,
  "return_url" text,
  "verifier" text not null,
  "authorization_url" text,
  "client_secret" text,
  "client_ends_at_ms" integer,
  "former_issuer" text,
  "code_digest" text not null,
  "tries" integer not null,
  "cookie_digest" text,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_oauth_states_expires_at_ms" on "oauth_states" ("expires_at_ms");

create index "ix_oauth_states_server_principal" on "oauth_states" ("server", "principal");
`,
  },
  {
    id: "0031_news_of_one",
    text: `-- What an MCP server said to one principal's connection is for that principal alone. What was said to all before is of use for a few seconds.
delete from "mcp_news";
alter table "mcp_news" add column "principal" text not null default '';
`,
  },
  {
    id: "0032_inbox",
    text: `-- What waits for a person, of every kind, in one table, and the runs that wait for it.

create table "inbox_items" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "audience" text not null,
  "kind" text not null,
  "status" text not null,
  "open_key" text not null,
  "project_id" text,
  "server" text not null,
  "tool" text,
  "caller_id" text,
  "caller_name" text,
  "caller_ids" text not null,
  "class" text,
  "digest" text,
  "arguments" text,
  "edited" text,
  "pin_id" text,
  "differences" text,
  "request_id" text,
  "run_id" text,
  "expires_at_ms" integer,
  "decided_by" text,
  "decided_at_ms" integer,
  "note" text,
  primary key ("id")
) strict;

create unique index "uq_inbox_items_open_key" on "inbox_items" ("open_key");

create index "ix_inbox_items_audience_created_at_ms" on "inbox_items" ("audience", "created_at_ms");

create index "ix_inbox_items_status_expires_at_ms" on "inbox_items" ("status", "expires_at_ms");

create index "ix_inbox_items_kind_server" on "inbox_items" ("kind", "server");

create index "ix_inbox_items_created_at_ms" on "inbox_items" ("created_at_ms");

create table "interrupts" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "run_id" text not null,
  "item_id" text not null,
  primary key ("id")
) strict;

create index "ix_interrupts_item_id" on "interrupts" ("item_id");

alter table "tool_pins" add column "item_id" text;

-- Arguments were sealed for the table that goes, and are shown to nobody any more. What nobody can look at nobody decides on: what was open is asked for again.
insert into "inbox_items" (
  "id", "version", "created_at_ms", "updated_at_ms", "audience", "kind", "status", "open_key", "project_id", "server", "tool", "caller_id", "caller_name", "caller_ids",
  "class", "digest", "arguments", "edited", "pin_id", "differences", "request_id", "run_id", "expires_at_ms", "decided_by", "decided_at_ms", "note"
)
select
  "id", "version", "created_at_ms", "updated_at_ms", 'project:' || "project_id", 'approval', case when "status" in ('pending', 'approved') then 'expired' else "status" end, "id", "project_id",
  "server", "tool", "caller_id", "caller_name", "caller_ids", "class", "arguments_hash", null, null, null, null, "request_id", "run_id", "expires_at_ms", "decided_by", "decided_at_ms",
  case when "status" in ('pending', 'approved') then 'The gateway was upgraded: the call has to be made, and approved, again.' else "note" end
from "approvals";

-- Runs that wait are woken by these, and ask again.
insert into "interrupts" ("id", "version", "created_at_ms", "updated_at_ms", "project_id", "run_id", "item_id")
select 'int_' || "id", 1, "updated_at_ms", "updated_at_ms", "project_id", "id", "id" from "runs" where "status" = 'waiting';

drop table "approvals";
`,
  },
  {
    id: "0033_personas",
    text: `-- What callers may use of MCP servers, whatever they are granted.

create table "personas" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "description" text,
  "roles" text not null,
  "keys" text not null,
  "users" text not null,
  "projects" text not null,
  "agents" text not null,
  "servers" text not null,
  "tools" text not null,
  "created_by" text,
  primary key ("id")
) strict;

create unique index "uq_personas_name" on "personas" ("name");
`,
  },
];
