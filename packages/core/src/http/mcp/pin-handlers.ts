import type { ToolPinRow } from "../../entities/index.js";
import { pinRoutes } from "../../routes/index.js";
import type { Services, ToolPins } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

/** Pinned definitions of MCP tools. What a server is, and what it says, is of every project (T04). */
export function pinHandlers({ seams }: Services): Readonly<Record<keyof typeof pinRoutes, Handler>> {
  const asked = (x: Exchange, verb: "read" | "write"): ToolPins => {
    seams.resources.assertEverywhere(x.caller, `servers:${verb}`);
    return seams.toolPins.get();
  };
  return {
    list: jsonHandler(pinRoutes.list, async ({ query }, x: Exchange) => {
      const { rows, next } = await asked(x, "read").list(query);
      return { data: rows.map(viewOf), next_cursor: next };
    }),
    get: jsonHandler(pinRoutes.get, async ({ params }, x: Exchange) => {
      const { pin, approved, seen, differences } = await asked(x, "read").get(params.id);
      return { ...viewOf(pin), approved, seen, differences: [...differences] };
    }),
    approve: jsonHandler(pinRoutes.approve, async ({ params, body }, x: Exchange) =>
      viewOf(await asked(x, "write").decide(params.id, { digest: body.digest, approve: true, caller: x.caller })),
    ),
    reject: jsonHandler(pinRoutes.reject, async ({ params, body }, x: Exchange) =>
      viewOf(await asked(x, "write").decide(params.id, { digest: body.digest, approve: false, caller: x.caller })),
    ),
  };
}

function viewOf(row: ToolPinRow) {
  const { id, server, tool, status, digest } = row;
  return {
    ...{ id, server, tool, status, digest },
    seen_digest: row.seenDigest,
    seen_at_ms: row.seenAtMs,
    decided_by: row.decidedBy,
    decided_at_ms: row.decidedAtMs,
  };
}
