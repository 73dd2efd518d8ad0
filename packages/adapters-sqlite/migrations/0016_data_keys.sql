-- The keys that stored secrets are sealed with, wrapped with the operator's secret.

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
