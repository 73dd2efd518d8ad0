-- What waits for a person, of every kind, in one table, and the runs that wait for it.

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
