import { GatewayError } from "../../errors/index.js";
import { inboxRoutes, type RouteOutput } from "../../routes/index.js";
import type { InboxItem, Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "./rest-face.js";

type View = RouteOutput<typeof inboxRoutes.get>;
type Outcome = RouteOutput<typeof inboxRoutes.bulk>["data"][number];

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
        ifDigest: body.if_digest,
        arguments: body.arguments === undefined ? undefined : JSON.stringify(body.arguments),
        remember:
          remember === undefined
            ? undefined
            : { conditions: remember.conditions, expiresAtMs: remember.expires_at_ms ?? null, anyCaller: remember.any_caller === true },
      };
      return view(await inbox().approve(x.caller, params.id, approving));
    }),
    deny: jsonHandler(inboxRoutes.deny, async ({ params, body }, x: Exchange) =>
      view(await inbox().deny(x.caller, params.id, { note: body.note, ifDigest: body.if_digest })),
    ),
    bulk: jsonHandler(inboxRoutes.bulk, async ({ body }, x: Exchange) => {
      const data: Outcome[] = [];
      for (const { op, id, note, if_digest: ifDigest } of body) {
        try {
          const row = view(await inbox()[op](x.caller, id, { note, ifDigest }));
          data.push({ id, op, status: 200, row, error: null });
        } catch (error) {
          const known = GatewayError.from(error);
          if (known.code === "internal") throw error; // a defect is the request's, and reported
          data.push({ id, op, status: known.status, row: null, error: known.toJSON() });
        }
      }
      return { data };
    }),
  };
}

function view(item: InboxItem): View {
  const { row } = item;
  const { id, status, server, note } = row;
  const every = {
    ...{ id, status, server, note },
    ...{ decided_by: row.decidedBy, decided_at_ms: row.decidedAtMs, created_at_ms: row.createdAtMs },
  };
  switch (item.kind) {
    case "approval":
      return {
        ...every,
        kind: "approval",
        tool: row.tool ?? "",
        class: row.class ?? "dangerous",
        arguments: jsonOf(item.arguments),
        edited_arguments: item.edited === null ? null : jsonOf(item.edited),
        caller_id: row.callerId ?? "",
        caller_name: row.callerName ?? "",
        project_id: row.projectId ?? "",
        request_id: row.requestId ?? "",
        run_id: row.runId,
        expires_at_ms: row.expiresAtMs ?? 0,
      };
    case "sign_in":
      return {
        ...{ ...every, kind: "sign_in", url: item.url, url_expires_at_ms: item.urlExpiresAtMs },
        ...{ confirmation_code: item.confirmationCode, expires_at_ms: row.expiresAtMs ?? 0 },
      };
    case "tool_change":
      return {
        ...{ ...every, kind: "tool_change", tool: row.tool ?? "", pin_id: row.pinId ?? "", digest: row.digest ?? "" },
        differences: [...item.differences],
      };
  }
}

/** A text whose secrets were taken out may be JSON no more. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
