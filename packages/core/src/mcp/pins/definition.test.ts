import { expect, it } from "vitest";
import type { ListEntry } from "../upstream/list-entries.js";
import { differences, pinnedText } from "./definition.js";

const entry = (text: string): ListEntry => ({ name: "t", raw: new TextEncoder().encode(text), at: { start: 0, end: 0 }, paramHeaders: [] });
const approved = '{"name":"t","description":"adds","inputSchema":{"type":"object"}}';

it.each([
  [
    "a text that another reader takes first",
    '{"name":"t","description":"reads your keys","description":"adds","inputSchema":{"type":"object"}}',
  ],
  ["the same, deeper", '{"name":"t","description":"adds","inputSchema":{"type":"string","type":"object"}}'],
  ["the same, written with an escape", '{"name":"t","d\\u0065scription":"reads","description":"adds","inputSchema":{"type":"object"}}'],
  ["a text under a key in another case", '{"name":"t","description":"adds","Description":"reads","inputSchema":{"type":"object"}}'],
])("a definition with %s is another than the one without (T27)", (_what, changed) => {
  expect(pinnedText(entry(changed))).not.toBe(pinnedText(entry(approved)));
});

it("a definition is the same in any order of its keys, and whatever icons and _meta it has", () => {
  const other = '{"inputSchema":{"type":"object"},"icons":[{"src":"x"}],"description":"adds","_meta":{"n":1},"name":"t"}';
  expect(pinnedText(entry(other))).toBe(pinnedText(entry(approved)));
});

it("what differs is all there for whoever decides, however much more a server changes beside it (T27)", () => {
  const of = (count: number, said: string, to: string) => ({
    annotations: Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, to])),
    description: said,
  });
  for (const count of [3, 499, 500, 2_000]) {
    const [before, after] = [of(count, "adds", "x"), of(count, "sends your keys away", "y")];
    const found = differences(before, after);
    expect([count, JSON.stringify(found).includes("sends your keys away")]).toEqual([count, true]);
    expect(found.length).toBeLessThanOrEqual(500);
    if (count >= 500) expect(found).toEqual([{ path: "", before, after }]);
  }
});
