import type { Json } from "../../calls/index.js";
import { enrichmentRoutes } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

/** Rules that add to tools' results. What a server's tools answer is of every project (T04). */
export function enrichmentHandlers({ seams }: Services): Readonly<Record<keyof typeof enrichmentRoutes, Handler>> {
  return {
    dryRun: jsonHandler(enrichmentRoutes.dryRun, async ({ params, body }, x: Exchange) => {
      seams.resources.assertEverywhere(x.caller, "servers:write");
      const { caller, requestId, deadlineMs } = x;
      const given = { args: body.args as Json, response: body.response as Json, user: body.user as Json | undefined };
      const o = { caller, requestId, deadlineMs, signal: x.inbound.signal };
      const { response, warnings, fired } = await seams.enrichments.get().dryRun(params.id, given, o);
      return {
        ...{ response, warnings: [...warnings] },
        fired: fired.map(({ ruleId, durationMs, ...rest }) => ({ rule_id: ruleId, ...rest, duration_ms: durationMs })),
      };
    }),
  };
}
