import { GatewayError } from "@sallyport/core/ports";
import type { Migration } from "@sallyport/sql";
import {
  RawNode,
  TableNode,
  type KyselyPlugin,
  type OperationNode,
  type PluginTransformQueryArgs,
  type PluginTransformResultArgs,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from "kysely";

/** With the longest table name of ours it stays within the 64 characters of a name. */
const LONGEST_PREFIX = 24;

/** Errors: `misconfigured` for a prefix that is more than letters, digits and `_`. */
export function assertPrefix(prefix: string): void {
  if (new RegExp(`^[A-Za-z0-9_]{0,${LONGEST_PREFIX}}$`).test(prefix)) return;
  throw new GatewayError("misconfigured", "The table prefix is not one.", {
    hint: `Use at most ${LONGEST_PREFIX} letters, digits and "_": tablePrefix: "ai_".`,
    details: { setting: "tablePrefix", outcome: "none" },
  });
}

/** Our statements are texts with tables in them, and nothing else that names one. */
function withPrefix(node: OperationNode, prefix: string): OperationNode {
  if (RawNode.is(node)) return { ...node, parameters: node.parameters.map((part) => withPrefix(part, prefix)) } as OperationNode;
  if (!TableNode.is(node)) return node;
  const { identifier } = node.table;
  return { ...node, table: { ...node.table, identifier: { ...identifier, name: prefix + identifier.name } } } as OperationNode;
}

/** Puts the prefix before every table of a statement. */
export function prefixingPlugin(prefix: string): KyselyPlugin {
  return {
    transformQuery: ({ node }: PluginTransformQueryArgs): RootOperationNode => withPrefix(node, prefix) as RootOperationNode,
    transformResult: ({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> => Promise.resolve(result),
  };
}

const tableAfter = /\b(table|on|references|into|update|from|join|to)(\s+(?:if\s+(?:not\s+)?exists\s+)?)`(\w+)`/gi;
// Of one database, not of one table as an index is; the server finds a name itself.
const constraintName = /\bconstraint\s+`\w+`\s+(?=foreign\b)/gi;

/** The same migrations for tables that have a prefix. Indexes keep their names, which are a table's own. */
export function prefixed(migrations: readonly Migration[], prefix: string): readonly Migration[] {
  if (prefix === "") return migrations;
  return migrations.map(({ id, text }) => ({
    id,
    text: text
      .replaceAll(constraintName, "")
      .replaceAll(tableAfter, (_, word: string, space: string, name: string) => `${word}${space}\`${prefix}${name}\``),
  }));
}
