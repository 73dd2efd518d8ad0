-- Routes that are stored, and why a call was made when the gateway itself made it.

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

