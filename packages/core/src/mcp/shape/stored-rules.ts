import type { McpToolRow, ToolOverride, ToolShapeRules } from "../../entities/index.js";

/**
 * The configuration's words on a server's tools with those of the store, which count for tools that the configuration does not speak of; null: there are none. A name that two tools are given is the configuration's first, then that of
 * the row that was written first.
 */
export function storedRules(
  configured: ToolShapeRules | undefined,
  o: { readonly server: string; readonly words: readonly McpToolRow[] },
): ToolShapeRules | null {
  const rows = o.words.filter(({ server }) => server === o.server);
  if (rows.length === 0) return configured ?? null;
  const overrides: Record<string, ToolOverride> = { ...configured?.overrides };
  const taken = new Set(Object.values(overrides).flatMap(({ name }) => name ?? []));
  for (const row of rows.toSorted((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1))) {
    if (Object.hasOwn(overrides, row.tool)) continue;
    const name = row.name === null || taken.has(row.name) ? undefined : row.name;
    if (name !== undefined) taken.add(name);
    overrides[row.tool] = {
      name,
      title: row.title ?? undefined,
      description: row.description ?? undefined,
      hidden: row.hidden,
      arguments: row.arguments ?? undefined,
    };
  }
  return { ...configured, overrides };
}
