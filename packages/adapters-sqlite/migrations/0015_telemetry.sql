-- Who is behind a call and why; spans beside usage rows; alert rules, channels, alerts and what is told of them.

alter table "audit_entries" add column "actor_kind" text;
alter table "audit_entries" add column "key_id" text;
alter table "audit_entries" add column "user_id" text;
alter table "audit_entries" add column "team_id" text;
alter table "audit_entries" add column "resource_type" text;
alter table "audit_entries" add column "source" text;
alter table "audit_entries" add column "purpose" text;
alter table "audit_entries" add column "parameters" text;
alter table "audit_entries" add column "changed" text;

create table "trace_spans" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "trace_id" text not null,
  "span_id" text not null,
  "parent_id" text,
  "request_id" text not null,
  "call_id" text not null,
  "run_id" text,
  "kind" text not null,
  "name" text not null,
  "provider" text,
  "model" text,
  "status" text not null,
  "status_code" integer,
  "code" text,
  "started_at_ms" integer not null,
  "duration_ms" integer not null,
  "request_bytes" integer,
  "response_bytes" integer,
  "cost_nano_usd" integer,
  "attributes" text,
  primary key ("id")
) strict;

create index "ix_trace_spans_request_id" on "trace_spans" ("request_id");

create index "ix_trace_spans_trace_id" on "trace_spans" ("trace_id");

create index "ix_trace_spans_at_ms" on "trace_spans" ("at_ms");

create table "alert_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "metric" text not null,
  "condition" text not null,
  "threshold" text not null,
  "window_minutes" integer not null,
  "severity" text not null,
  "channels" text not null,
  "filters" text not null,
  "enabled" integer not null,
  "due_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_alert_rules_enabled_due_at_ms" on "alert_rules" ("enabled", "due_at_ms");

create table "alert_channels" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "kind" text not null,
  "settings" text not null,
  "secret" text,
  "enabled" integer not null,
  primary key ("id")
) strict;

create table "alerts" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "rule_id" text not null,
  "open_key" text not null,
  "status" text not null,
  "rule_name" text not null,
  "metric" text not null,
  "severity" text not null,
  "value" text not null,
  "threshold" text not null,
  "message" text not null,
  "started_at_ms" integer not null,
  "acknowledged_at_ms" integer,
  "acknowledged_by" text,
  "resolved_at_ms" integer,
  "resolved_by" text,
  primary key ("id")
) strict;

create unique index "uq_alerts_open_key" on "alerts" ("open_key");

create index "ix_alerts_status_started_at_ms" on "alerts" ("status", "started_at_ms");

create index "ix_alerts_started_at_ms" on "alerts" ("started_at_ms");

create index "ix_alerts_rule_id_started_at_ms" on "alerts" ("rule_id", "started_at_ms");

create table "alert_notifications" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "alert_id" text not null,
  "channel_id" text not null,
  "event" text not null,
  "status" text not null,
  "attempt" integer not null,
  "due_at_ms" integer not null,
  "sent_at_ms" integer,
  "error" text,
  primary key ("id"),
  constraint "fk_alert_notifications_alert_id" foreign key ("alert_id") references "alerts" ("id")
) strict;

create index "ix_alert_notifications_status_due_at_ms" on "alert_notifications" ("status", "due_at_ms");

create index "ix_alert_notifications_alert_id" on "alert_notifications" ("alert_id");
