-- Sign-ins at MCP servers that have begun last ten minutes: those of before are over.
drop table "oauth_states";

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
  "authorization_url" text,
  "client_secret" text,
  "client_ends_at_ms" integer,
  "former_issuer" text,
  "code_digest" text not null,
  "tries" integer not null,
  "cookie_digest" text,
  "expires_at_ms" integer not null,
  primary key ("id")
) strict;

create index "ix_oauth_states_expires_at_ms" on "oauth_states" ("expires_at_ms");

create index "ix_oauth_states_server_principal" on "oauth_states" ("server", "principal");
