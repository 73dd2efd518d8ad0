-- Keys that are rotated, bounded and brought from elsewhere; users, teams, projects, roles, web sessions, and the ledger of who signed in.

alter table "gateway_keys" rename column "grants" to "scopes";
alter table "gateway_keys" add column "environment" text;
alter table "gateway_keys" add column "prefix" text;
alter table "gateway_keys" add column "user_id" text;
alter table "gateway_keys" add column "team_id" text;
alter table "gateway_keys" add column "parent_id" text;
alter table "gateway_keys" add column "rate_limit" text;
alter table "gateway_keys" add column "previous_digest" text;
alter table "gateway_keys" add column "previous_until_ms" integer;
alter table "gateway_keys" add column "legacy_hash" text;
alter table "gateway_keys" add column "legacy_scheme" text;
alter table "gateway_keys" add column "revoked_at_ms" integer;
alter table "gateway_keys" add column "created_by" text;
alter table "gateway_keys" add column "metadata" text;

create index "ix_gateway_keys_project_id_created_at_ms" on "gateway_keys" ("project_id", "created_at_ms");

create index "ix_gateway_keys_parent_id" on "gateway_keys" ("parent_id");

create index "ix_gateway_keys_user_id" on "gateway_keys" ("user_id");

create table "users" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "username" text not null,
  "name" text,
  "email" text,
  "password_hash" text,
  "external_id" text,
  "enabled" integer not null,
  "last_login_at_ms" integer,
  "sessions_from_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_users_username" on "users" ("username");

create unique index "uq_users_external_id" on "users" ("external_id");

create index "ix_users_project_id_created_at_ms" on "users" ("project_id", "created_at_ms");

create table "teams" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "description" text,
  primary key ("id")
) strict;

create unique index "uq_teams_project_id_name" on "teams" ("project_id", "name");

create index "ix_teams_project_id_created_at_ms" on "teams" ("project_id", "created_at_ms");

create index "ix_teams_name" on "teams" ("name");

create table "projects" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "description" text,
  "metadata" text,
  "created_by" text,
  primary key ("id")
) strict;

create index "ix_projects_project_id_created_at_ms" on "projects" ("project_id", "created_at_ms");

create index "ix_projects_name" on "projects" ("name");

create table "roles" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "name" text not null,
  "description" text,
  "scopes" text not null,
  primary key ("id")
) strict;

create unique index "uq_roles_project_id_name" on "roles" ("project_id", "name");

create index "ix_roles_project_id_created_at_ms" on "roles" ("project_id", "created_at_ms");

create index "ix_roles_name" on "roles" ("name");

create table "role_bindings" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "user_id" text not null,
  "role" text not null,
  "scope" text not null,
  "scope_id" text not null,
  "created_by" text,
  primary key ("id"),
  constraint "fk_role_bindings_user_id" foreign key ("user_id") references "users" ("id")
) strict;

create unique index "uq_role_bindings_user_id_role_scope_scope_id" on "role_bindings" ("user_id", "role", "scope", "scope_id");

create index "ix_role_bindings_project_id_created_at_ms" on "role_bindings" ("project_id", "created_at_ms");

create index "ix_role_bindings_user_id" on "role_bindings" ("user_id");

create index "ix_role_bindings_role" on "role_bindings" ("role");

create table "web_sessions" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "project_id" text not null,
  "user_id" text not null,
  "digest" text not null,
  "by" text not null,
  "began_at_ms" integer not null,
  "last_seen_at_ms" integer not null,
  "expires_at_ms" integer not null,
  "revoked_at_ms" integer,
  "address" text,
  "agent" text,
  primary key ("id"),
  constraint "fk_web_sessions_user_id" foreign key ("user_id") references "users" ("id")
) strict;

create unique index "uq_web_sessions_digest" on "web_sessions" ("digest");

create index "ix_web_sessions_user_id" on "web_sessions" ("user_id");

create index "ix_web_sessions_expires_at_ms" on "web_sessions" ("expires_at_ms");

create table "sign_in_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "digest" text not null,
  "cookie_digest" text not null,
  "provider" text not null,
  "return_to" text,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_sign_in_states_digest" on "sign_in_states" ("digest");

create index "ix_sign_in_states_expires_at_ms" on "sign_in_states" ("expires_at_ms");

create table "auth_events" (
  "id" text not null,
  "at_ms" integer not null,
  "project_id" text not null,
  "kind" text not null,
  "outcome" text not null,
  "caller_id" text,
  "target_id" text,
  "address" text,
  "request_id" text,
  "detail" text,
  primary key ("id")
) strict;

create index "ix_auth_events_project_id_at_ms" on "auth_events" ("project_id", "at_ms");

create index "ix_auth_events_kind_at_ms" on "auth_events" ("kind", "at_ms");

create index "ix_auth_events_caller_id_at_ms" on "auth_events" ("caller_id", "at_ms");

create index "ix_auth_events_target_id_at_ms" on "auth_events" ("target_id", "at_ms");

create index "ix_auth_events_at_ms" on "auth_events" ("at_ms");
