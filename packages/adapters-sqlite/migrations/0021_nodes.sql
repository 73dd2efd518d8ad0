-- The gateway's processes, sessions of MCP clients as all of them know them, and what they tell each other of MCP servers.

create table "nodes" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "state" text not null,
  "release" text not null,
  "label" text not null,
  "started_at_ms" integer not null,
  "lease_until_ms" integer not null,
  "attempt" integer not null,
  "offers" text not null,
  primary key ("id")
) strict;

create index "ix_nodes_state_lease_until_ms" on "nodes" ("state", "lease_until_ms");

create table "mcp_sessions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "caller_id" text not null,
  "address" text not null,
  "revision" text not null,
  "watches" text not null,
  "log_level" integer,
  "cancelled" text not null,
  "ended_at_ms" integer,
  "moved_at_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_mcp_sessions_moved_at_ms" on "mcp_sessions" ("moved_at_ms");

create index "ix_mcp_sessions_expires_at_ms" on "mcp_sessions" ("expires_at_ms");

create table "mcp_news" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "what" text not null,
  "uri" text not null,
  "moved_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_mcp_news_moved_at_ms" on "mcp_news" ("moved_at_ms");
