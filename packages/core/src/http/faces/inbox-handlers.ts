import { GatewayError } from "../../errors/index.js";
import { inboxRoutes } from "../../routes/index.js";
import type { InboxItem, Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "./rest-face.js";

/** What waits for a person. */
export function inboxHandlers(services: Services): Readonly<Record<keyof typeof inboxRoutes, Handler>> {
  const inbox = () => services.seams.inbox.get();
  return {
    list: jsonHandler(inboxRoutes.list, async ({ query }, x: Exchange) => {
      const [page, pending] = await Promise.all([inbox().list(x.caller, query), inbox().pending(x.caller)]);
      return { data: page.items.map(view), next_cursor: page.next, pending };
    }),
    get: jsonHandler(inboxRoutes.get, async ({ params }, x: Exchange) => {
      const item = await inbox().get(x.caller, params.id);
      if (item !== null) return view(item);
      throw new GatewayError("not_found", "There is no such item, or you may not see it.", { hint: "GET /api/v1/inbox lists them." });
    }),
    approve: jsonHandler(inboxRoutes.approve, async ({ params, body }, x: Exchange) => {
      const { note, remember } = body;
      const approving = {
        note,
        arguments: body.arguments === undefined ? undefined : JSON.stringify(body.arguments),
        remember:
          remember === undefined
            ? undefined
            : { conditions: remember.conditions, expiresAtMs: remember.expires_at_ms ?? null, anyCaller: remember.any_caller === true },
      };
      return view(await inbox().approve(x.caller, params.id, approving));
    }),
    deny: jsonHandler(inboxRoutes.deny, async ({ params, body }, x: Exchange) => view(await inbox().deny(x.caller, params.id, body))),
  };
}

function view({ row, arguments: args, edited }: InboxItem) {
  return {
    id: row.id,
    kind: "approval" as const,
    status: row.status,
    server: row.server,
    tool: row.tool,
    class: row.class,
    arguments: jsonOf(args),
    edited_arguments: edited === null ? null : jsonOf(edited),
    caller_id: row.callerId,
    caller_name: row.callerName,
    project_id: row.projectId,
    request_id: row.requestId,
    run_id: row.runId,
    expires_at_ms: row.expiresAtMs,
    decided_by: row.decidedBy,
    decided_at_ms: row.decidedAtMs,
    note: row.note,
    created_at_ms: row.createdAtMs,
  };
}

/** A text whose secrets were taken out may be JSON no more. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
