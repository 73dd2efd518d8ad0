import { describe, expect, it } from "vitest";
import { inboxItem } from "../../entities/index.js";
import { memoryStore } from "../../memory/index.js";
import { clock } from "../../platform/node.js";
import { PinRows } from "./pin-rows.js";

const scope = { system: "test" };
const by = { id: "op", name: "op" };

/** The rows of a server with one tool, of which each look shows a definition. */
function rowsOf(isPartial: boolean) {
  const store = memoryStore({ clock });
  const rows = new PinRows({ store, clock });
  const pinId = "p".repeat(60);
  const look = (said: string) => {
    const seen = { pinId, tool: "t", digest: said.repeat(64).slice(0, 64), text: () => JSON.stringify({ name: "t", description: said }) };
    return rows.note("s", { serverPin: "s".repeat(60), tools: [seen], isPartial });
  };
  const items = async () => {
    const found = await store.find(inboxItem, { orderBy: "createdAtMs", limit: 10 }, scope, { deadlineMs: Date.now() + 5_000 });
    return found.rows.map(({ id, status }) => ({ id, status }));
  };
  return { rows, pinId, look, items };
}

describe("a tool that a server shows each of two users in another definition", () => {
  it("is asked for once, however often the two look", async () => {
    const { look, items } = rowsOf(true);
    await look("x");
    expect(await look("y")).toHaveLength(1);
    const asked = await items();
    for (let i = 0; i < 3; i++) {
      expect([await look("x"), await look("y")]).toEqual([[], []]);
      expect(await items()).toEqual(asked);
    }
  });

  it("stays rejected in the one, however often the two look", async () => {
    const { rows, pinId, look, items } = rowsOf(true);
    await look("x");
    await look("y");
    expect(await rows.reject((await rows.get(pinId))!, by)).toBe(true);
    for (let i = 0; i < 3; i++) expect([await look("x"), await look("y")]).toEqual([[], []]);
    expect((await items()).map(({ status }) => status)).toEqual(["denied"]);
  });
});

it("a definition that everybody was shown and that its server took back waits for nobody", async () => {
  const { look, items } = rowsOf(false);
  await look("x");
  await look("y");
  await look("x");
  expect(await items()).toEqual([]);
});
