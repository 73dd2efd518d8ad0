-- Rules that add to the results of tools.

create table "enrichment_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "tool" text not null,
  "when" text not null,
  "source" text not null,
  "bindings" text not null,
  "merge" text not null,
  "position" integer not null,
  "timeout_ms" integer not null,
  "cache_ttl_ms" integer not null,
  "on_error" text not null,
  "enabled" integer not null,
  "description" text,
  primary key ("id")
) strict;

create index "ix_enrichment_rules_server_id" on "enrichment_rules" ("server", "id");

