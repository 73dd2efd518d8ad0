-- What calls cost: who a usage row counts for, budgets, what is set aside from them, and which calls are under way.
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
