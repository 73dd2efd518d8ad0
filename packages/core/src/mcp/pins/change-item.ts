import type { InboxItemRow } from "../../entities/index.js";
import type { Json } from "../../calls/index.js";
import type { NewRow } from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import { differences, type SeenTool } from "./definition.js";

/** Who administers servers. */
export const SERVERS_AUDIENCE = "servers";

/** What asks for one definition of a tool, and no other: when its server shows yet another one, that is another item. `approved`: canonical JSON; null: none was. */
export function changeItem(o: {
  readonly server: string;
  readonly seen: SeenTool;
  readonly approved: string | null;
}): NewRow<InboxItemRow> {
  const { server, seen, approved } = o;
  const id = newId("chg");
  const before = approved === null ? undefined : (JSON.parse(approved) as Json);
  return {
    ...{ id, audience: SERVERS_AUDIENCE, kind: "tool_change", status: "pending", openKey: id, projectId: null },
    ...{ server, tool: seen.tool, pinId: seen.pinId, digest: seen.digest },
    differences: JSON.stringify(differences(before, JSON.parse(seen.text()) as Json)),
    ...{ callerId: null, callerName: null, callerIds: [], class: null, arguments: null, edited: null, requestId: null, runId: null },
    ...{ expiresAtMs: null, decidedBy: null, decidedAtMs: null, note: null },
  };
}
