-- The gateway's own sign-ins at MCP servers: tokens, sign-ins that have begun, and who it is at authorization servers.

create table "oauth_tokens" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "principal" text not null,
  "state" text not null,
  "grant" text not null,
  "url" text not null,
  "issuer" text not null,
  "client_id" text not null,
  "resource" text,
  "scope" text,
  "wanted_scope" text,
  "access_token" text,
  "refresh_token" text,
  "expires_at_ms" integer,
  "refresh_expires_at_ms" integer,
  "authenticated_by" text not null,
  "authenticated_at_ms" integer not null,
  "last_refreshed_at_ms" integer,
  "last_error" text,
  "retry_at_ms" integer not null,
  "hold_until_ms" integer not null,
  "attempt" integer not null,
  primary key ("id")
) strict;

create unique index "uq_oauth_tokens_server_principal" on "oauth_tokens" ("server", "principal");

create index "ix_oauth_tokens_hold_until_ms" on "oauth_tokens" ("hold_until_ms");

create index "ix_oauth_tokens_state_expires_at_ms" on "oauth_tokens" ("state", "expires_at_ms");

create index "ix_oauth_tokens_state_refresh_expires_at_ms" on "oauth_tokens" ("state", "refresh_expires_at_ms");

-- The table oauth_states is missing.
create table "oauth_states" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "principal" text not null,
  "started_by" text not null,
  "issuer" text not null,
  "client_id" text not null,
  "url" text not null,
  "resource" text,
  "scope" text,
  "redirect_uri" text not null,
  "return_url" text,
  "verifier" text not null,
  "authorization_url" text not null,
  "ticket_digest" text,
  "cookie_digest" text,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create unique index "uq_oauth_states_ticket_digest" on "oauth_states" ("ticket_digest");

create index "ix_oauth_states_expires_at_ms" on "oauth_states" ("expires_at_ms");

create index "ix_oauth_states_server_principal" on "oauth_states" ("server", "principal");

-- The table oauth_clients is missing.
create table "oauth_clients" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "server" text not null,
  "issuer" text not null,
  "client_id" text,
  "client_secret" text,
  "redirect_uri" text,
  "expires_at_ms" integer,
  primary key ("id")
) strict;

create unique index "uq_oauth_clients_server" on "oauth_clients" ("server");

-- The table namespaces is missing.
