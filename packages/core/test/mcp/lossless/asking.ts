import { expect } from "vitest";
import { readDataText } from "../../wire/test-data.js";
import { SchemaTexts, written, type Member, type SchemaFile } from "./schema-text.js";

export type Era = "legacy" | "modern";
const eras: readonly Era[] = ["legacy", "modern"];
export const cells = eras.flatMap((client) => eras.map((upstream) => [client, upstream] as const));
const revisions: Readonly<Record<Era, string>> = { legacy: "2025-11-25", modern: "2026-07-28" };
export const texts = (era: Era) => new SchemaTexts(JSON.parse(readDataText(`schemas/mcp-${revisions[era]}.json`)) as SchemaFile);

export interface Asking {
  readonly method: string;
  readonly subject: string | null;
  readonly params: readonly Member[];
  readonly meta?: readonly Member[];
}

/** One request as a client of an era sends it; `params` and the members of its `_meta` stand as they are. */
export function request(client: Era, o: Asking): { readonly message: string; readonly headers: Readonly<Record<string, string>> } {
  const own: readonly Member[] =
    client === "legacy"
      ? []
      : [
          ["io.modelcontextprotocol/protocolVersion", '"2026-07-28"'],
          ["io.modelcontextprotocol/clientCapabilities", "{}"],
        ];
  const meta = [...own, ...(o.meta ?? [])];
  const params = meta.length === 0 ? o.params : [...o.params, ["_meta", written(meta)] as const];
  const headers =
    client === "legacy"
      ? {}
      : { "mcp-protocol-version": "2026-07-28", "mcp-method": o.method, ...(o.subject === null ? {} : { "mcp-name": o.subject }) };
  return { message: `{"jsonrpc":"2.0","id":1,"method":"${o.method}","params":${written(params)}}`, headers };
}

/** Every member stands in the text as it was written, one behind the other. */
export function expectInOrder(text: string, members: readonly Member[]): void {
  let at = 0;
  for (const [key, value] of members) {
    const member = `${JSON.stringify(key)} :${value}`;
    const found = text.indexOf(member, at);
    expect(found < 0 ? text : member, `${member} is not there, or not in its place`).toBe(member);
    at = found + member.length;
  }
}
