-- Calls and questions of MCP that wait for somebody, and what the clients of sessions declared that they can be asked.

alter table "mcp_sessions" add column "capabilities" text not null default '{}';

create table "parked_calls" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "kind" text not null,
  "caller_id" text not null,
  "address" text not null,
  "server" text not null,
  "tool" text not null,
  "node_id" text not null,
  "state" text not null,
  "round" integer not null,
  "questions" text,
  "answers" text,
  "outcome" text,
  "moved_at_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_parked_calls_node_id_state_moved_at_ms" on "parked_calls" ("node_id", "state", "moved_at_ms");

create index "ix_parked_calls_expires_at_ms" on "parked_calls" ("expires_at_ms");

