import { z } from "zod";
import { defineEntity, field, int, longText, text, type RowType } from "../define-entity.js";

/**
 * A call, or a question, that waits for somebody and is kept by one process: what any other process needs to hand an answer to it, and to learn what became of it. What was asked and answered is sealed and bound to the row. The id is a secret of
 * whoever may answer, or its digest.
 */
export const parkedCall = defineEntity({
  name: "parkedCall",
  table: "parked_calls",
  kind: "machine",
  scope: null,
  fields: {
    /** `call`: its client comes again with the answers; `task`: its client holds a handle; `question`: a client with a session answers by a message. */
    kind: field(z.enum(["call", "task", "question"]), { access: "server", column: text(16) }),
    callerId: field(z.string().max(100), { access: "server", column: text(100) }),
    /** The namespace; empty for the whole. */
    address: field(z.string().max(100), { access: "server", column: text(100) }),
    server: field(z.string().max(64), { access: "server", column: text(64) }),
    /** What grants call the tool of a task: who may not call it any more learns nothing more of it. Empty: no task. */
    tool: field(z.string().max(560), { access: "server", column: text(560) }),
    /** The process that keeps it. */
    nodeId: field(z.string().max(64), { access: "server", column: text(64) }),
    /** `asked` waits for answers; `answered` and `cancelled` are for the keeper to take; `working` goes on; `told` is over; `lost`: its keeper is gone. */
    state: field(z.enum(["asked", "answered", "cancelled", "working", "told", "lost"]), { access: "server", column: text(16) }),
    /** How often it asked. */
    round: field(z.int(), { access: "server", column: int }),
    /** Sealed JSON; null: nothing is asked. */
    questions: field(z.string().nullable(), { access: "server", column: longText }),
    /** Sealed JSON; null: nothing was answered, or it was taken. */
    answers: field(z.string().nullable(), { access: "server", column: longText }),
    /** Sealed JSON: how it ended; null: it did not. */
    outcome: field(z.string().nullable(), { access: "server", column: longText }),
    /** When something above changed last, by the store's clock. */
    movedAtMs: field(z.int(), { access: "server", column: int }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["nodeId", "state", "movedAtMs"], ["expiresAtMs"]],
});
export type ParkedCallRow = RowType<typeof parkedCall>;

/** A `requestState` that a client came back with: it is of no use to a second request, at any process. The id is a digest of it. Kept for as long as it would open. */
export const usedRequestState = defineEntity({
  name: "usedRequestState",
  table: "used_request_states",
  kind: "machine",
  scope: null,
  fields: {
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"]],
});
export type UsedRequestStateRow = RowType<typeof usedRequestState>;
