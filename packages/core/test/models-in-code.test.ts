import { afterEach, describe, expect, it } from "vitest";
import { defineProvider, Gateway, Model, type ModelEvent } from "../src/index.js";

const made: Gateway[] = [];
function gateway(): Gateway {
  const one = new Gateway({ env: {}, ownerKey: "in-code-owner-key-4c1d8f0b7a2e9635-xyz", logging: { level: "silent" }, mcpServers: {} });
  made.push(one);
  return one;
}
afterEach(async () => {
  for (const one of made.splice(0)) await one.close({ graceMs: 100 });
});

describe("models in code", () => {
  it("generate from a text, from messages, and from a whole call", async () => {
    const echo = gateway().models.get("demo/echo");
    expect(await echo.generate("hello there")).toMatchObject({ text: "hello there", usage: { inputTokens: 2, outputTokens: 2 } });
    expect((await echo.generate([{ role: "user", content: [{ type: "text", text: "a b" }] }])).text).toBe("a b");
    const cut = await echo.generate({ messages: [{ role: "user", content: [{ type: "text", text: "a b c" }] }], maxOutputTokens: 1 });
    expect(cut).toMatchObject({ text: "a", candidates: [{ finishReason: "length" }] });
  });

  it("stream, and end the call of a reader who leaves", async () => {
    const one = gateway();
    const echo = one.models.get("demo/echo");
    let text = "";
    for await (const event of echo.stream("one two three")) if (event.type === "text-delta") text += event.text;
    expect(text).toBe("one two three");
    const finished: number[] = [];
    one.on("call.finished", ({ status }) => finished.push(status));
    const seen: ModelEvent[] = [];
    for await (const event of echo.stream("word ".repeat(10_000))) if (seen.push(event) === 5) break;
    expect(seen).toHaveLength(5);
    expect(finished).toHaveLength(1);
  });

  it("do what they are made for beside chat", async () => {
    const { models } = gateway();
    expect((await models.get("demo/embed").embed(["a", "b"])).vectors).toHaveLength(2);
    expect((await models.get("demo/image").image("a red square")).images).toMatchObject([{ mediaType: "image/png" }]);
    const { audio } = await models.get("demo/speech").speech("hello");
    expect(audio.mediaType).toBe("audio/wav");
    expect((await models.get("demo/transcribe").transcribe(audio)).text).toContain("audio/wav");
    expect((await models.get("demo/moderate").moderate("flag me")).results).toMatchObject([{ flagged: true }]);
    await expect(models.get("demo/echo").image("x")).rejects.toMatchObject({ code: "unsupported_feature" });
  });

  it("make films, waited for, the same one for the same key", async () => {
    const video = gateway().models.get("demo/video");
    const film = await video.video("a boat", { idempotencyKey: "k" });
    expect(film.status).toBe("queued");
    expect((await video.video("a boat", { idempotencyKey: "k" })).id).toBe(film.id);
    const done = await film.wait();
    expect(done.status).toBe("succeeded");
    expect((await done.bytes()).mediaType).toBe("video/x-msvideo");
  });

  it("are found or not, and asked only through their gateway", async () => {
    const one = gateway();
    expect(one.models.find("demo/nothing")).toBeNull();
    expect(() => one.models.get("nobody/x")).toThrow(expect.objectContaining({ code: "model_not_found" }));
    expect(one.models.get("demo/echo")).toBe(one.models.get("demo/echo"));
    await expect(new Model({ provider: "demo", code: "echo" }).generate("x")).rejects.toMatchObject({ code: "misconfigured" });
    const unlisted = one.models.get("demo/nothing");
    await expect(unlisted.generate("x")).rejects.toMatchObject({ code: "model_not_found" });
  });

  it("are cancelled by their caller's signal", async () => {
    const controller = new AbortController();
    const answer = gateway().models.get("demo/echo").generate("word ".repeat(200_000), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await expect(answer).rejects.toMatchObject({ code: "cancelled" });
  });

  it("come from providers that are made in code", async () => {
    const one = gateway();
    one.providers.add(
      defineProvider({
        name: "mine",
        models: [
          { code: "shout", prices: { input: "1", output: "2" } },
          { code: "dots", kind: "embedding" },
        ],
        answer: async function* (call) {
          const first = call.messages[0]!.content[0]!;
          yield { type: "start", id: "m1", model: "shout", createdAtMs: 0 };
          yield { type: "text-start", index: 0, block: 0 };
          yield { type: "text-delta", index: 0, block: 0, text: "text" in first ? first.text.toUpperCase() : "" };
          yield { type: "text-end", index: 0, block: 0 };
          yield { type: "finish", index: 0, reason: "stop" };
          yield { type: "usage", usage: { inputTokens: 3, outputTokens: 4 } };
        },
        operations: { embed: (call) => Promise.resolve({ model: call.model, vectors: call.inputs.map(() => [1, 2]), usage: {} }) },
      }),
    );
    expect((await one.models.get("mine/shout").generate("hey")).text).toBe("HEY");
    expect((await one.models.get("mine/dots").embed("x")).vectors).toEqual([[1, 2]]);
    one.providers.add(defineProvider({ name: "silent", operations: { embed: () => Promise.reject(new Error("canary")) } }));
    await expect(one.models.get("silent/x").generate("x")).rejects.toMatchObject({ code: "unsupported_feature" });
    await expect(one.models.get("silent/x").embed("x")).rejects.toMatchObject({ code: "internal" });
  });
});
