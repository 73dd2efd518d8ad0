import { Directory } from "../../access/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import { explainRoutes } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

/** What would become of a call. Rules and keys are of every project (T04). */
export function explainHandlers(
  { seams, clock }: Services,
  snapshot: () => Snapshot,
): Readonly<Record<keyof typeof explainRoutes, Handler>> {
  const directory = new Directory();
  const callerOf = (keyId: string) => {
    const usable = directory.of(snapshot()).usable(keyId);
    if (usable !== null && usable.untilMs > clock.now()) return usable.caller;
    throw new GatewayError("not_found", `There is no key "${keyId.slice(0, 64)}" that can be used.`, { details: { field: "key_id" } });
  };
  return {
    explain: jsonHandler(explainRoutes.explain, async ({ body }, x: Exchange) => {
      seams.resources.assertEverywhere(x.caller, "servers:read");
      const caller = body.key_id === undefined ? x.caller : callerOf(body.key_id);
      const asked = { tool: body.tool, arguments: JSON.stringify(body.arguments), caller };
      const { decidedBy, notChecked, checks, ...said } = await seams.mcpServers.get().explain(asked);
      return { ...said, decided_by: decidedBy, checks: [...checks], not_checked: [...notChecked] };
    }),
  };
}
