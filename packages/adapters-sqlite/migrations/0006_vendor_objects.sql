-- Films being made, batches and files: objects of vendors under ids of ours, the pieces of files, and what became of each request of a batch.

create table "vendor_objects" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "kind" text not null,
  "status" text not null,
  "purpose" text not null,
  "model" text,
  "provider" text,
  "ref" text,
  "key_print" text,
  "caller" text not null,
  "data" text not null,
  "error" text,
  "total" integer not null,
  "completed" integer not null,
  "failed" integer not null,
  "ready_at_ms" integer not null,
  "attempt" integer not null,
  "cancel_requested" integer not null,
  "expires_at_ms" integer,
  "idempotency_key" text,
  "payload_hash" text not null,
  "started_at_ms" integer,
  "finished_at_ms" integer,
  primary key ("id")
) strict;

create unique index "uq_vendor_objects_project_id_idempotency_key" on "vendor_objects" ("project_id", "idempotency_key");

create index "ix_vendor_objects_status_kind_ready_at_ms" on "vendor_objects" ("status", "kind", "ready_at_ms");

create index "ix_vendor_objects_project_id_kind_created_at_ms" on "vendor_objects" ("project_id", "kind", "created_at_ms");

create index "ix_vendor_objects_project_id_kind_purpose_created_at_ms" on "vendor_objects" ("project_id", "kind", "purpose", "created_at_ms");

create index "ix_vendor_objects_expires_at_ms" on "vendor_objects" ("expires_at_ms");

create table "file_chunks" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "file_id" text not null,
  "data" text not null,
  primary key ("id"),
  constraint "fk_file_chunks_file_id" foreign key ("file_id") references "vendor_objects" ("id")
) strict;

create index "ix_file_chunks_file_id" on "file_chunks" ("file_id");

create table "batch_lines" (
  "stream" text not null,
  "seq" integer not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "custom_id" text not null,
  "ok" integer not null,
  "status" integer not null,
  "request_id" text not null,
  "body" text not null,
  primary key ("stream", "seq")
) strict;

create index "ix_batch_lines_at_ms" on "batch_lines" ("at_ms");
