-- What waits for a person, and how much care tools need.

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
