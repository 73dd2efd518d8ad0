-- States that clients of MCP came back with: each is of use once.

create table "used_request_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_used_request_states_expires_at_ms" on "used_request_states" ("expires_at_ms");
