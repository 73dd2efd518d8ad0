-- Guardrails that were stored, and what guardrails found.
create table "guardrails" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "enabled" integer not null,
  "priority" integer not null,
  "stages" text not null,
  "kind" text not null,
  "settings" text not null,
  "action" text not null,
  "severity" text,
  "unseen" text,
  "applies" text not null,
  primary key ("id")
) strict;

create unique index "uq_guardrails_name" on "guardrails" ("name");

create table "detections" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "request_id" text not null,
  "call_id" text,
  "guardrail" text not null,
  "stage" text not null,
  "type" text not null,
  "severity" text not null,
  "action" text not null,
  "pattern" text not null,
  "confidence" integer not null,
  "excerpt" text not null,
  "caller_id" text not null,
  "key_id" text,
  "model" text,
  "server" text,
  "tool" text,
  primary key ("id")
) strict;

create index "ix_detections_project_id_at_ms" on "detections" ("project_id", "at_ms");

create index "ix_detections_request_id" on "detections" ("request_id");

create index "ix_detections_guardrail_at_ms" on "detections" ("guardrail", "at_ms");

create index "ix_detections_type_at_ms" on "detections" ("type", "at_ms");

create index "ix_detections_severity_at_ms" on "detections" ("severity", "at_ms");

create index "ix_detections_action_at_ms" on "detections" ("action", "at_ms");

create index "ix_detections_caller_id_at_ms" on "detections" ("caller_id", "at_ms");

create index "ix_detections_server_at_ms" on "detections" ("server", "at_ms");

create index "ix_detections_at_ms" on "detections" ("at_ms");
