-- What a vendor sealed and a caller's dialect cannot carry, by tool call, for a day.

create table "opaque_tokens" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "call_hash" text not null,
  "sealed" text not null,
  primary key ("id")
) strict;
create index "ix_opaque_tokens_call_hash_at_ms" on "opaque_tokens" ("call_hash", "at_ms");
create index "ix_opaque_tokens_at_ms" on "opaque_tokens" ("at_ms");
