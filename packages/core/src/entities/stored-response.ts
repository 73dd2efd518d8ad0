import { z } from "zod";
import { bool, defineEntity, field, int, json, longText, text, type RowType } from "./define-entity.js";

export const storedResponseStatus = z.enum(["queued", "in_progress", "completed", "failed", "incomplete", "cancelled"]);

/**
 * A response of OpenAI's Responses dialect that is kept: what it was made from, and what it is. One that is made in the background is `queued` or `in_progress` and leased by the node that
 * makes it; one whose lease has passed is lost, and reads as failed. Of all that try to end it one does.
 */
export const storedResponse = defineEntity({
  name: "storedResponse",
  table: "stored_responses",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64), filter: true }),
    status: field(storedResponseStatus, { access: "server", column: text(16) }),
    background: field(z.boolean(), { access: "create-only", column: bool }),
    /** The ids of the responses that it goes on from, the first one first. */
    chain: field(z.array(z.string()), { access: "create-only", column: json }),
    /** The items of its own request: the text of a JSON list, as it was sent. */
    input: field(z.string(), { access: "create-only", column: longText }),
    /** The response in its dialect, as text. */
    response: field(z.string(), { access: "server", column: longText }),
    /** The provider that made it; null: it is not made yet, or nobody said. Reasoning that it sealed is of use to it alone. */
    provider: field(z.string().max(100).nullable(), { access: "server", column: text(100) }),
    /** The node that makes it; null: nobody does. */
    holder: field(z.string().max(64).nullable(), { access: "server", column: text(64) }),
    leaseUntilMs: field(z.int(), { access: "server", column: int }),
    expiresAtMs: field(z.int(), { access: "server", column: int }),
  },
  indexes: [["expiresAtMs"], ["projectId", "createdAtMs"]],
});
export type StoredResponseRow = RowType<typeof storedResponse>;

const responseId = field(z.string().max(64), {
  access: "create-only",
  column: text(64),
  ref: { entity: "storedResponse", onDelete: "cascade" },
});

/** Which response an item of an answer belongs to: callers may send its id in place of the item. */
export const storedResponseItem = defineEntity({
  name: "storedResponseItem",
  table: "stored_response_items",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64) }),
    itemId: field(z.string().max(200), { access: "create-only", column: text(200) }),
    responseId,
  },
  unique: [["projectId", "itemId"]],
  indexes: [["responseId"]],
});
export type StoredResponseItemRow = RowType<typeof storedResponseItem>;

/** A stretch of the events of a response that was made in the background, in their order. */
export const storedResponseEvents = defineEntity({
  name: "storedResponseEvents",
  table: "stored_response_events",
  kind: "machine",
  scope: "projectId",
  fields: {
    projectId: field(z.string().max(64), { access: "create-only", column: text(64) }),
    responseId,
    /** The sequence number of the last of them. */
    lastSequence: field(z.int(), { access: "create-only", column: int }),
    /** Each one's JSON, a line each. */
    events: field(z.string(), { access: "create-only", column: longText }),
  },
  unique: [["responseId", "lastSequence"]],
});
export type StoredResponseEventsRow = RowType<typeof storedResponseEvents>;
