import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { HttpClient, HttpRequest } from "../ports/index.js";
import { cassette } from "./cassette.js";

const path = () => join(mkdtempSync(join(tmpdir(), "sallyport-cassette-")), "calls.json");
const within = { deadlineMs: Date.now() + 5000 };
const ask = (text: string): HttpRequest => ({
  method: "POST",
  url: "https://vendor.example/v1/chat/completions",
  headers: [["authorization", "Bearer sk-canary"]],
  body: new TextEncoder().encode(JSON.stringify({ model: "m", messages: [{ role: "user", content: text }] })),
  trust: "operator",
  idleMs: 1000,
});
/** An upstream that counts its answers. */
function counting(): HttpClient & { sent: number } {
  const client = {
    sent: 0,
    exchange: () => {
      const bytes = new TextEncoder().encode(`answer ${++client.sent}`);
      return Promise.resolve({
        status: 200,
        headers: [["content-type", "text/plain"]] as const,
        bytes: () => Promise.resolve(bytes),
        chunks: async function* () {
          yield bytes;
        },
        discard: () => undefined,
      });
    },
    close: () => Promise.resolve(),
  };
  return client;
}
const textOf = async (client: HttpClient, request: HttpRequest) =>
  new TextDecoder().decode(await (await client.exchange(request, within)).bytes(1000));

describe("cassette", () => {
  it("records once and replays without sending, in the order recorded, and keeps no credential", async () => {
    const file = path();
    const upstream = counting();
    const recording = cassette(file, { mode: "record", through: upstream });
    expect(await textOf(recording, ask("a"))).toBe("answer 1");
    expect(await textOf(recording, ask("a"))).toBe("answer 2");
    await recording.close();
    expect(readFileSync(file, "utf8")).not.toContain("canary");
    const replaying = cassette(file);
    expect(await textOf(replaying, ask("a"))).toBe("answer 1");
    expect(await textOf(replaying, ask("a"))).toBe("answer 2");
    expect(await textOf(replaying, ask("a"))).toBe("answer 2");
    expect(upstream.sent).toBe(2);
  });

  it("fails a miss loudly, with the nearest recording and where it differs", async () => {
    const file = path();
    const recording = cassette(file, { mode: "auto", through: counting() });
    await textOf(recording, ask("the weather"));
    await recording.close();
    await expect(cassette(file).exchange(ask("the news"), within)).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining('body.messages[0].content: recorded "the weather", asked "the news"') as string,
    });
  });

  it("sends only what is new in auto", async () => {
    const file = path();
    const upstream = counting();
    for (const texts of [["a"], ["a", "b"], ["a", "b"]]) {
      const tape = cassette(file, { mode: "auto", through: upstream });
      for (const text of texts) await textOf(tape, ask(text));
      await tape.close();
    }
    expect(upstream.sent).toBe(2);
  });

  it("says that it is empty when there is no file", async () => {
    await expect(cassette(path()).exchange(ask("a"), within)).rejects.toThrow("The cassette is empty.");
  });
});
