import assert from "node:assert/strict";
import { append, insert, remove, update, type Unit, type Write } from "@sallyport/core/ports";
import { accepted, rejectsWith, soon } from "../../expectations.js";
import { entry, event, item, kitEntry, kitEvent, kitItem, kitShared, mine, type KitItem } from "../entities.js";
import { concern } from "../subject.js";

const good: Unit = { scope: mine, writes: [insert(kitItem, item("good"))] };

/** Rows as a caller without types could give them. */
const bad = (over: Record<string, unknown>): Write => insert(kitItem, item("bad", over as Partial<KitItem>));

const wrong: Readonly<Record<string, Write>> = {
  "a number for text": bad({ status: 1 }),
  "text for a number": bad({ priority: "1" }),
  "a fraction": bad({ priority: 1.5 }),
  "a number past the safe integers": bad({ spent: 2 ** 53 }),
  "not a number": bad({ spent: Number.NaN }),
  "a number for a boolean": bad({ active: 1 }),
  "null where there is none": bad({ status: null }),
  "a field that was not declared": bad({ unknown: 1 }),
  "a field that the store keeps": bad({ version: 5 }),
  "an id with a space": bad({ id: "a b" }),
  "an id of 65 characters": bad({ id: "a".repeat(65) }),
  "an empty id": bad({ id: "" }),
  "a stream that is no id": append(kitEvent, "a/b", { entries: [event(1)] }),
  "a change of the id": update(kitItem, "x", { change: { set: { id: "y" } } }),
  "a change of the version": update(kitItem, "x", { change: { set: { version: 7 } } }),
  "a field both set and added to": update(kitItem, "x", { change: { set: { spent: 1 }, add: { spent: 1 } } }),
  "adding to text": update(kitItem, "x", { change: { add: { status: 1 } } }),
  "a guard against undefined": update(kitItem, "x", { change: {}, where: { status: undefined as unknown as string } }),
  "a guard on json": update(kitItem, "x", { change: {}, where: { body: "x" } }),
  "a guard of two operators": update(kitItem, "x", { change: {}, where: { rank: { gt: 1, lt: 5 } as unknown as { gt: number } } }),
  "a change of a ledger": update(kitEntry, "x", { change: { set: { amount: 1 } } }),
  "a removal from a ledger": remove(kitEntry, "x"),
};

export const refusals = concern("refusals", {
  "a value that its column cannot hold is refused before anything is applied": async ({ store }) => {
    for (const [what, write] of Object.entries(wrong)) {
      const error = await rejectsWith("internal", () => store.commit([good, { scope: mine, writes: [write] }], soon())).catch(
        (cause: unknown) => {
          throw new assert.AssertionError({ message: `${what}: ${String(cause)}` });
        },
      );
      assert.deepEqual([error.details?.["unit"], error.details?.["outcome"]], [1, "none"], what);
    }
    assert.equal(await store.get(kitItem, "good", mine, soon()), null);
  },
  "text that is too long or not well formed, and json that cannot be written, are validation_failed": async ({ store }) => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (const over of [{ label: "x".repeat(41) }, { label: "\ud800" }, { note: "a\udc00" }, { body: circular }, { body: 1n }])
      await rejectsWith("validation_failed", () => store.commit([good, { scope: mine, writes: [bad(over)] }], soon()));
    assert.equal(await store.get(kitItem, "good", mine, soon()), null);
  },
  "text as long as its column reads back": async ({ store }) => {
    await accepted(store, { scope: mine, writes: [insert(kitItem, item("a", { label: "é".repeat(40) }))] });
    assert.equal((await store.get(kitItem, "a", mine, soon()))?.label, "é".repeat(40));
  },
  "a query of a field without an index is refused, however small the table": async ({ store }) => {
    await rejectsWith("internal", () => store.find(kitItem, { where: { attempt: 1 }, orderBy: "rank", limit: 1 }, mine, soon()));
    await rejectsWith("internal", () => store.find(kitItem, { orderBy: "attempt", limit: 1 }, mine, soon()));
    await rejectsWith("internal", () => store.find(kitItem, { where: { any: [{ attempt: 1 }] }, orderBy: "rank", limit: 1 }, mine, soon()));
    await rejectsWith("internal", () => store.sum(kitEntry, { where: { amount: 1 }, by: [], sum: [] }, mine, soon()));
    await rejectsWith("internal", () => store.take(kitItem, { where: { attempt: 1 }, orderBy: [], limit: 1, change: {} }, soon()));
    await rejectsWith("internal", () => store.take(kitItem, { where: {}, orderBy: ["attempt"], limit: 1, change: {} }, soon()));
  },
  "a page has 1 to 1,000 rows": async ({ store }) => {
    for (const limit of [0, -1, 1.5, 1001, Number.NaN])
      await rejectsWith("bad_request", () => store.find(kitItem, { orderBy: "rank", limit }, mine, soon()));
  },
  "records are never pruned": async ({ store }) => {
    await rejectsWith("internal", () => store.prune(kitShared, Date.now(), 10, soon()));
  },
  "a deadline that has passed and a signal that has fired are said so, and nothing is done": async ({ store }) => {
    const aborted = { deadlineMs: Date.now() + 1000, signal: AbortSignal.abort() };
    for (const [code, within] of [["deadline_exceeded", { deadlineMs: Date.now() - 1 }] as const, ["cancelled", aborted] as const]) {
      await rejectsWith(code, () => store.commit([good], within));
      await rejectsWith(code, () => store.get(kitItem, "good", mine, within));
      await rejectsWith(code, () => store.find(kitItem, { orderBy: "rank", limit: 1 }, mine, within));
      await rejectsWith(code, () => store.take(kitItem, { where: {}, orderBy: [], limit: 1, change: {} }, within));
      await rejectsWith(code, () => store.read(kitEvent, "s", { afterSeq: 0, limit: 1 }, mine, within));
      await rejectsWith(code, () => store.sum(kitEntry, { by: [], sum: [] }, mine, within));
      await rejectsWith(code, () => store.prune(kitEntry, 1, 1, within));
      await rejectsWith(code, () => store.changes(null, 1, within));
      await rejectsWith(code, () => store.now(within));
    }
    assert.equal(await store.get(kitItem, "good", mine, soon()), null);
  },
  "hostile text is only text": async ({ store }) => {
    const hostile = ["'; DROP TABLE kit_items; --", '" OR 1=1 --', "?1", "$1", ":a", "\\'", "x'00'"];
    await accepted(store, {
      scope: mine,
      writes: hostile.map((label, i) => insert(kitItem, item(`i${i}`, { label, body: { [label]: label } }))),
    });
    for (const [i, label] of hostile.entries()) {
      const found = await store.find(kitItem, { where: { label }, orderBy: "label", limit: 10 }, mine, soon());
      assert.deepEqual(
        found.rows.map((row) => [row.id, row.body]),
        [[`i${i}`, { [label]: label }]],
      );
    }
    assert.equal(await store.get(kitItem, hostile[0] as string, mine, soon()), null);
    assert.deepEqual(await store.read(kitEvent, hostile[1] as string, { afterSeq: 0, limit: 5 }, mine, soon()), []);
  },
  "a refused value of one ledger entry does not stand in the way of the next commit": async ({ store }) => {
    await rejectsWith("internal", () => store.commit([{ scope: mine, writes: [insert(kitEntry, entry("e", 1.5))] }], soon()));
    await accepted(store, { scope: mine, writes: [insert(kitEntry, entry("e", 1))] });
  },
});
