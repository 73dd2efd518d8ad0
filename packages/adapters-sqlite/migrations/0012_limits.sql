-- How much subjects may use.
create table "rate_limits" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "subject" text not null,
  "subject_id" text not null,
  "requests_per_minute" integer,
  "tokens_per_minute" integer,
  "concurrency" integer,
  "enabled" integer not null,
  primary key ("id")
) strict;

create unique index "uq_rate_limits_subject_subject_id" on "rate_limits" ("subject", "subject_id");

-- Answers of a route that are kept.
alter table "routes" add column "cache" text;
