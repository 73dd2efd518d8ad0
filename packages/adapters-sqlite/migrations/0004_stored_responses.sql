-- Responses of OpenAI's dialect that are kept, their items by id, and the events of those made in the background.

create table "stored_responses" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "status" text not null,
  "background" integer not null,
  "chain" text not null,
  "input" text not null,
  "response" text not null,
  "provider" text,
  "holder" text,
  "lease_until_ms" integer not null,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_stored_responses_expires_at_ms" on "stored_responses" ("expires_at_ms");

create index "ix_stored_responses_project_id_created_at_ms" on "stored_responses" ("project_id", "created_at_ms");

create table "stored_response_items" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "item_id" text not null,
  "response_id" text not null,
  primary key ("id"),
  constraint "fk_stored_response_items_response_id" foreign key ("response_id") references "stored_responses" ("id")
) strict;

create unique index "uq_stored_response_items_project_id_item_id" on "stored_response_items" ("project_id", "item_id");

create index "ix_stored_response_items_response_id" on "stored_response_items" ("response_id");

create table "stored_response_events" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "response_id" text not null,
  "last_sequence" integer not null,
  "events" text not null,
  primary key ("id"),
  constraint "fk_stored_response_events_response_id" foreign key ("response_id") references "stored_responses" ("id")
) strict;

create unique index "uq_stored_response_events_response_id_last_sequence" on "stored_response_events" ("response_id", "last_sequence");
