import { z } from "zod";
import { defineEntity, field, text, type RowType } from "../define-entity.js";

/** A run waits for an item of the inbox. Written with the run's waiting, a new row each time; whoever saw that the item is decided wakes the run and removes it. */
export const interrupt = defineEntity({
  name: "interrupt",
  table: "interrupts",
  kind: "machine",
  scope: "projectId",
  watched: false,
  fields: {
    projectId: field(z.string().max(64), { access: "server", column: text(64) }),
    runId: field(z.string().max(64), { access: "server", column: text(64) }),
    itemId: field(z.string().max(64), { access: "server", column: text(64) }),
  },
  indexes: [["itemId"]],
});
export type InterruptRow = RowType<typeof interrupt>;
