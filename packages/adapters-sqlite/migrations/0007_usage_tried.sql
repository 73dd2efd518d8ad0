-- The attempts of a call that needed several.

alter table "usage_entries" add column "tried" text;
