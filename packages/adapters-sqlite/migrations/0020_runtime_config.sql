-- Settings that are changed while the gateway runs.

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
