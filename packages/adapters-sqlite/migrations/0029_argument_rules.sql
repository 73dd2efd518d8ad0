-- The column mcp_servers.resilience is missing.
alter table "mcp_servers" add column "resilience" text;

-- The table argument_rules is missing.
create table "argument_rules" (
  "id" text not null,
  "version" integer not null,
  "created_at_ms" integer not null,
  "updated_at_ms" integer not null,
  "name" text not null,
  "description" text,
  "tools" text not null,
  "when" text not null,
  "effect" text not null,
  "message" text,
  "enabled" integer not null,
  primary key ("id")
) strict;

create unique index "uq_argument_rules_name" on "argument_rules" ("name");

-- Answers under idempotency keys are sealed: of those that stand open nobody is told any more how their calls ended, and none is made twice.
update "idempotency_keys" set "state" = 'running', "status" = null, "answer" = null, "withheld" = '[]', "lease_until_ms" = 0 where "answer" is not null;
