// Made by tools/make-migration.mjs --embed from migrations/*.sql.
export const text = `-- What a call was for, what it used beside tokens, and how many times a provider was asked.

alter table "usage_entries" add column "operation" text;
alter table "usage_entries" add column "detail" text;
alter table "usage_entries" add column "attempts" integer;
`;
