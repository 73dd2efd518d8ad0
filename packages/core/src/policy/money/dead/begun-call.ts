import type { CallHead } from "../../../calls/index.js";
import type { BegunCall } from "../../../entities/index.js";
import { cutText } from "../../../util/well-formed.js";
import type { OpenCall } from "../../step.js";
import { keyIdOf } from "../budget-set.js";

/** What a usage row says of a call whose process is gone. `nodeId`: this process. */
export function begunCall(call: OpenCall<CallHead>, nodeId: string): BegunCall {
  const { caller, head } = call;
  return {
    id: call.id,
    projectId: caller.projects[0],
    callerId: cutText(caller.id, 100),
    keyId: idOf(keyIdOf(caller)),
    userId: idOf(caller.userId),
    teamId: idOf(caller.teamId),
    agentId: idOf(caller.agentId),
    kind: head.kind,
    operation: head.kind === "model" ? head.operation : (head.operation ?? "call"),
    name: cutText(head.name, 200),
    server: head.kind === "tool" ? cutText(head.server, 64) : null,
    requestId: cutText(call.requestId, 64),
    runId: call.runId,
    purpose: call.purpose === null ? null : cutText(call.purpose, 40),
    startedAtMs: call.startedAtMs,
    nodeId,
  };
}

/** The ids of those that a call counts for, as ledgers keep them. */
export function idOf(id: string | undefined): string | null {
  return id === undefined ? null : cutText(id, 64);
}
