// Made by tools/make-migration.mjs --embed from migrations/*.sql.
export const text = `-- Creations that their callers may repeat: what was asked, and what was answered.

create table "idempotency_keys" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "caller_id" text not null,
  "key" text not null,
  "payload_hash" text not null,
  "state" text not null,
  "status" integer,
  "answer" text,
  "withheld" text not null,
  "lease_until_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_idempotency_keys_project_id_caller_id_key" on "idempotency_keys" ("project_id", "caller_id", "key");

create index "ix_idempotency_keys_expires_at_ms" on "idempotency_keys" ("expires_at_ms");
`;
