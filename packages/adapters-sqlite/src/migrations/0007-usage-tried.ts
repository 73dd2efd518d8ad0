// Made by tools/make-migration.mjs --embed from migrations/*.sql.
export const text = `-- The attempts of a call that needed several.

alter table "usage_entries" add column "tried" text;
`;
