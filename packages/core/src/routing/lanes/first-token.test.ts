import { expect, it } from "vitest";
import { firstToken } from "./first-token.js";

const encoder = new TextEncoder();
async function first(...chunks: string[]): Promise<string | undefined> {
  const iterator = chunks.map((chunk) => encoder.encode(chunk))[Symbol.iterator]();
  const result = await firstToken({ next: () => Promise.resolve(iterator.next()) });
  return result.done === true ? undefined : new TextDecoder().decode(result.value);
}

it.each([
  ["the first chunk when it says something", ["data: 1\n\n", "data: 2\n\n"], "data: 1\n\n"],
  [
    "the comments with what follows them",
    [": wait\n\n", "\r\n: still\r\n\r\n", "data: 1\n\n", "x"],
    ": wait\n\n\r\n: still\r\n\r\ndata: 1\n\n",
  ],
  ["a chunk that says something behind its comment", [": wait\n\ndata: 1\n\n"], ": wait\n\ndata: 1\n\n"],
  ["nothing of a stream of comments alone", [": wait\n\n"], undefined],
  ["nothing of no stream", [], undefined],
] as const)("gives %s", async (_what, chunks, given) => expect(await first(...chunks)).toBe(given));

it("holds no more than so much", async () => {
  const comment = `:${"x".repeat(20_000)}\n\n`;
  expect((await first(...Array.from({ length: 100 }, () => comment)))!.length).toBe(4 * comment.length);
});
