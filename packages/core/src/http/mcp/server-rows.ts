import { mcpServer, type McpServerRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { resources, type Row, type View } from "../../routes/index.js";
import type { Exchange } from "../exchange.js";
import type { Idempotency } from "../resources/index.js";
import { changeRow } from "../resources/rows/change-rows.js";
import { createRow } from "../resources/rows/create-row.js";
import { removeRow } from "../resources/rows/remove-row.js";
import { scopeOf, withinOf, type ResourceContext, type ResourceExchange } from "../resources/rows/resource-exchange.js";

/** The rows of stored servers, by name: written by the same verbs as in the resource API, so that checks, secrets and the audit are the same. */
export class ServerRows {
  readonly #context: ResourceContext;
  readonly #idempotency: Idempotency;

  constructor(context: ResourceContext, idempotency: Idempotency) {
    this.#context = context;
    this.#idempotency = idempotency;
  }

  async find(name: string, x: Exchange): Promise<McpServerRow | null> {
    const e = this.#exchange(x);
    const { rows } = await e.services.store.find(mcpServer, { where: { name }, orderBy: "id", limit: 1 }, scopeOf(e), withinOf(e));
    return rows[0] ?? null;
  }

  async all(x: Exchange): Promise<readonly McpServerRow[]> {
    const e = this.#exchange(x);
    const rows: McpServerRow[] = [];
    let cursor: string | undefined;
    do {
      const page = await e.services.store.find(mcpServer, { orderBy: "id", limit: 200, cursor }, scopeOf(e), withinOf(e));
      rows.push(...page.rows);
      cursor = page.next ?? undefined;
    } while (cursor !== undefined);
    return rows;
  }

  /** Errors: those of a creation; `conflict` for a name that is taken. */
  async create(body: Row, x: Exchange): Promise<Readonly<View>> {
    return (await createRow(this.#exchange(x), { body, key: undefined, idempotency: this.#idempotency })).body;
  }

  /** What `body` leaves out becomes what a new row has; but a credential stays. Errors: those of a change. */
  replace(row: McpServerRow, body: Row, x: Exchange): Promise<Readonly<View>> {
    return changeRow(this.#exchange(x), { id: row.id, kind: "replace", body, expected: null });
  }

  /** Only as long as it is as it was: whoever changed it meanwhile wins. Errors: those of a removal. */
  remove(row: Pick<McpServerRow, "id" | "version">, x: Exchange): Promise<void> {
    return removeRow(this.#exchange(x), row.id, { version: row.version, code: "conflict" });
  }

  #exchange(x: Exchange): ResourceExchange {
    const resource = resources.find(({ entity }) => entity === mcpServer);
    if (resource === undefined) throw new GatewayError("internal", "Stored MCP servers are not in the resource API.");
    return { ...this.#context, resource, x };
  }
}
