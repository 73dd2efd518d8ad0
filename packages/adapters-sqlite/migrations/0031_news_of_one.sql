-- What an MCP server said to one principal's connection is for that principal alone. What was said to all before is of use for a few seconds.
delete from "mcp_news";
alter table "mcp_news" add column "principal" text not null default '';
