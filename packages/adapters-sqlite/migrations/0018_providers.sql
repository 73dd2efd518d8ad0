-- Providers, their keys and models, kept in the store.

create table "providers" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "vendor" text,
  "base_url" text,
  "api_key" text,
  "protocols" text,
  "quirks" text,
  "auth" text,
  "enabled" integer not null,
  primary key ("id")
) strict;

create unique index "uq_providers_name" on "providers" ("name");

create table "provider_keys" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "provider" text not null,
  "label" text,
  "value" text not null,
  "weight" integer not null,
  "enabled" integer not null,
  primary key ("id")
) strict;

create index "ix_provider_keys_provider" on "provider_keys" ("provider");

create table "models" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "provider" text not null,
  "code" text not null,
  "title" text,
  "kind" text,
  "features" text,
  "context_tokens" integer,
  "max_output_tokens" integer,
  "prices" text,
  primary key ("id")
) strict;

create unique index "uq_models_provider_code" on "models" ("provider", "code");
