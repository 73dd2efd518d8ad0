-- Conversations.
create table "sessions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "title" text,
  "user_id" text,
  "agent_id" text,
  "provider" text,
  "model" text,
  "instructions" text,
  "mcp" text not null,
  "status" text not null,
  "message_count" integer not null,
  "bytes" integer not null,
  "last_seq" integer not null,
  "last_message_at_ms" integer,
  "parent_id" text,
  "branch_seq" integer,
  "pinned" text not null,
  "summary" text,
  "summary_seq" integer not null,
  "summary_until_ms" integer not null,
  "turn_id" text,
  "last_accessed_at_ms" integer not null,
  "expires_at_ms" integer not null,
  "metadata" text not null,
  primary key ("id")
) strict;

create index "ix_sessions_project_id_created_at_ms" on "sessions" ("project_id", "created_at_ms");

create index "ix_sessions_user_id_created_at_ms" on "sessions" ("user_id", "created_at_ms");

create index "ix_sessions_agent_id_created_at_ms" on "sessions" ("agent_id", "created_at_ms");

create index "ix_sessions_parent_id_created_at_ms" on "sessions" ("parent_id", "created_at_ms");

create index "ix_sessions_last_message_at_ms" on "sessions" ("last_message_at_ms");

create index "ix_sessions_expires_at_ms_status" on "sessions" ("expires_at_ms", "status");

-- What was said in them: the stream is the session.
create table "session_messages" (
  "stream" text not null,
  "seq" integer not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "message" text not null,
  "author" text not null,
  "model" text,
  "usage" text,
  "run_id" text,
  primary key ("stream", "seq")
) strict;

create index "ix_session_messages_at_ms" on "session_messages" ("at_ms");
