-- Virtual MCP servers, stored words on tools, pinned definitions, and results that were too large to hand over.

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
