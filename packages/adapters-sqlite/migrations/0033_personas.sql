-- What callers may use of MCP servers, whatever they are granted.

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
