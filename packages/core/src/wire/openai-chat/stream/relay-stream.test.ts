import { describe, expect, it } from "vitest";
import { breaking, byTheByte, bytesOf, collect, framesOf, joined, splitAt, stream, textOf } from "../../../../test/wire/chunks.js";
import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { openaiChat } from "../openai-chat.js";

const chunk = (delta: object, more: object = {}) => ({
  id: "c",
  choices: [{ index: 0, delta, finish_reason: null }],
  usage: null,
  ...more,
});
const finish = { id: "c", choices: [{ index: 0, delta: {}, finish_reason: "stop" }], usage: null };
const usage = { id: "c", choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } };
const text = [chunk({ role: "assistant", content: "" }), chunk({ content: 'he said "usage": {} [DONE] 😀' })];

interface Seen {
  usages: Usage[];
  errors: GatewayError[];
}
function relay(source: AsyncIterable<Uint8Array>, dropUsage = false): { out: AsyncIterable<Uint8Array>; seen: Seen } {
  const seen: Seen = { usages: [], errors: [] };
  const watch = {
    usage: (of: Usage) => seen.usages.push(of),
    tellable: (error: GatewayError) => new GatewayError(error.code, error.message.replaceAll("canary", "***")),
    failed: (error: GatewayError) => seen.errors.push(error),
  };
  return { out: openaiChat.relayStream(source, { dropUsage, watch }), seen };
}
async function through(source: AsyncIterable<Uint8Array>, dropUsage = false): Promise<{ text: string } & Seen> {
  const { out, seen } = relay(source, dropUsage);
  return { text: await joined(out), ...seen };
}
const done = "data: [DONE]\n\n";
const spoken = [{ inputTokens: 3, outputTokens: 2 }];

describe("a stream that is relayed", () => {
  it("keeps every byte, and its usage is seen", async () => {
    const given = framesOf([...text, finish, usage, "[DONE]"]);
    expect(await through(stream(given))).toEqual({ text: given, usages: spoken, errors: [] });
  });

  it("goes on chunk by chunk, the very same arrays where they end with a frame", async () => {
    const chunks = [...text, finish, usage, "[DONE]"].map((value) => bytesOf(framesOf([value])));
    const out = await collect(relay(stream(...chunks)).out);
    expect(out).toHaveLength(chunks.length);
    out.forEach((given, i) => expect(given).toBe(chunks[i]));
  });

  it("loses the frame of usage that the caller did not ask for, and no other", async () => {
    const others = [...text, { choices: [], prompt_filter_results: [] }, { ...finish, usage: usage.usage }];
    expect(await through(stream(framesOf([...others, usage, "[DONE]"])), true)).toEqual({
      text: framesOf([...others, "[DONE]"]),
      usages: [...spoken, ...spoken],
      errors: [],
    });
    expect(await collect(relay(stream(framesOf([finish]), framesOf([usage]), framesOf(["[DONE]"])), true).out)).toHaveLength(2);
  });

  it("is the same wherever it is split, whatever the line ends", async () => {
    for (const lineEnd of ["\n", "\r\n", "\r"]) {
      const kept = `\ufeff: hi${lineEnd}${lineEnd}event: message${lineEnd}${framesOf([...text, finish], lineEnd)}`;
      const given = bytesOf(`${kept}${framesOf([usage, "[DONE]"], lineEnd)}`);
      const expected = { text: `${kept}${framesOf(["[DONE]"], lineEnd)}`, usages: spoken, errors: [] };
      expect(await through(stream(given), true)).toEqual(expected);
      expect(await through(byTheByte(given), true)).toEqual(expected);
      for (let at = 1; at < given.length; at++) expect(await through(splitAt(given, at), true)).toEqual(expected);
    }
  });

  it("passes on frames that it does not understand, as they are", async () => {
    const given = `data: {"finish_reason": broken}\n\nevent: x\ndata: 1\n\ndata:\n\ndata: [1\n\nfoo\n\n${framesOf([finish, "[DONE]"])}`;
    expect(await through(stream(given))).toEqual({ text: given, usages: [], errors: [] });
  });

  it("finds usage and end in JSON that is spaced out or spread over lines", async () => {
    const given =
      'data: { "choices" : [ ] , "usage" : { "prompt_tokens" : 3 , "completion_tokens" : 2 } }\n\ndata: {"choices":[{"finish_reason"\ndata: : "stop"}]}\n\n';
    expect(await through(stream(given))).toEqual({ text: `${given}${done}`, usages: spoken, errors: [] });
  });

  it("that is whole gets the [DONE] that its sender left out, once, behind a whole frame", async () => {
    for (const given of [framesOf([...text, finish]), framesOf([...text, finish]).trimEnd(), `${framesOf([finish])}data: {"cut`]) {
      const whole = given.replace(/data: \{"cut$/, "").trimEnd();
      const { text: out, errors } = await through(stream(given));
      expect(out.replace(/\n{2,}/g, "\n\n")).toBe(`${whole}\n\n${done}`);
      expect(errors).toEqual([]);
    }
    const ended = framesOf([...text, finish, "[DONE]"]);
    expect((await through(stream(ended.trimEnd()))).text).toBe(ended.trimEnd());
    expect((await through(stream(framesOf([finish]), framesOf([usage])), true)).text).toBe(framesOf([finish]) + done);
  });

  it("is drained behind [DONE], and what happens there does not matter", async () => {
    const given = framesOf([...text, "[DONE]"]);
    expect(await through(breaking(new GatewayError("upstream_timeout", "silent"), given))).toEqual({ text: given, usages: [], errors: [] });
  });
});

describe("a stream that does not come to its end", () => {
  const errorFrame = (code: string, message: string, type = "server_error") =>
    `data: ${JSON.stringify({ error: { message, type, param: null, code } })}\n\n`;
  const interrupted = errorFrame("upstream_interrupted", "The vendor's stream ended before the answer was complete.");

  it("ends with an error frame behind the last whole frame", async () => {
    const { text: out, errors } = await through(stream(framesOf(text), 'data: {"choices":[{"del'));
    expect(out).toBe(framesOf(text) + interrupted);
    expect(errors).toMatchObject([{ code: "upstream_interrupted" }]);
  });

  it("says why it broke off", async () => {
    const error = new GatewayError("upstream_timeout", "The vendor fell silent.");
    const { text: out, errors } = await through(breaking(error, framesOf(text), "data: {"));
    expect(out).toBe(framesOf(text) + errorFrame("upstream_timeout", "The vendor fell silent."));
    expect(errors).toEqual([error]);
  });

  it("at every byte gives whole frames and one error frame, or the whole", async () => {
    const frames = [...text, finish, "[DONE]"].map((value) => framesOf([value]));
    const bytes = bytesOf(frames.join(""));
    const ends = frames.map((_, i) => bytesOf(frames.slice(0, i + 1).join("")).length);
    const finishedAt = ends[2] as number;
    for (let end = 0; end <= bytes.length; end++) {
      const { text: out, errors } = await through(stream(bytes.subarray(0, end)));
      // The last frame may lack its blank line; without the finish reason the stream is not whole.
      const whole = end >= finishedAt - 2;
      expect(errors).toHaveLength(whole ? 0 : 1);
      expect(out.endsWith(interrupted)).toBe(!whole);
      if (!whole) {
        const before = out.slice(0, -interrupted.length);
        expect(frames.join("").startsWith(before.trimEnd())).toBe(true);
        expect(before === "" || before.endsWith("\n\n")).toBe(true);
      }
    }
  });

  it("is told once, in our words, when the vendor itself says why, and nothing of the vendor's follows", async () => {
    const failed = framesOf([{ error: { message: "overloaded canary", code: 503, secret: "canary" } }]);
    const given = `${framesOf(text)}${failed}${framesOf([finish, usage, "[DONE]"])}`;
    const ours = errorFrame("upstream_unavailable", "overloaded ***");
    for (const source of [
      stream(given),
      byTheByte(bytesOf(given)),
      stream(framesOf(text), failed, failed),
      stream(framesOf(text), failed.trimEnd()),
    ]) {
      const { text: out, errors } = await through(source);
      expect(out).toBe(framesOf(text) + ours);
      expect(errors).toMatchObject([{ code: "upstream_unavailable" }]);
    }
    expect(await collect(relay(stream(failed)).out)).toEqual([bytesOf(ours)]);
  });

  it("lets the source go when the vendor says why", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytesOf(framesOf([{ error: "no" }]));
      } finally {
        closed = true;
      }
    }
    await through(source());
    expect(closed).toBe(true);
  });

  it("is not told of an error behind [DONE], which is not passed on either", async () => {
    const given = framesOf([finish, "[DONE]"]);
    expect(await through(stream(given + framesOf([{ error: "canary" }])))).toEqual({ text: given, usages: [], errors: [] });
  });

  it("keeps what is no event for itself when the answer is not whole", async () => {
    expect((await through(stream("overloaded canary"))).text).toBe(interrupted);
  });

  it("with an error in words and one in an event", async () => {
    expect((await through(stream(framesOf([...text, { error: "loading" }])))).errors).toMatchObject([{ message: "loading" }]);
    for (const data of ['{"message":"boom"}', "boom"]) {
      const { text: out, errors } = await through(stream(`event: error\ndata: ${data}\n\n`));
      expect(errors).toMatchObject([{ message: "boom" }]);
      expect(out).toBe(errorFrame("upstream_unavailable", "boom"));
    }
  });

  it("that sends an endless line is cut off, and let go", async () => {
    let closed = false;
    async function* flood(): AsyncGenerator<Uint8Array> {
      try {
        yield bytesOf(framesOf(text));
        for (;;) yield new Uint8Array(1024 * 1024).fill(0x61);
      } finally {
        closed = true;
      }
    }
    const { text: out, errors } = await through(flood());
    expect(errors).toMatchObject([{ code: "upstream_protocol" }]);
    expect(out.startsWith(framesOf(text))).toBe(true);
    expect(closed).toBe(true);
  });
});

describe("a reader that goes", () => {
  it("lets the source go too", async () => {
    let closed = false;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield bytesOf(framesOf(text));
      } finally {
        closed = true;
      }
    }
    const { out, seen } = relay(source());
    for await (const frames of out) {
      expect(textOf(frames)).toBe(framesOf(text));
      break;
    }
    expect(closed).toBe(true);
    expect(seen).toEqual({ usages: [], errors: [] });
  });
});
