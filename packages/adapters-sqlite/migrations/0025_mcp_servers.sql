-- MCP servers, kept in the store.

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
