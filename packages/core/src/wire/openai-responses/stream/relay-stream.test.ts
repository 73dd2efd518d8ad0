import { describe, expect, it } from "vitest";
import { breaking, byTheByte, bytesOf, collect, joined, splitAt, stream } from "../../../../test/wire/chunks.js";
import type { Usage } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { openaiResponses } from "../openai-responses.js";

type Json = Record<string, unknown>;
const response = { id: "resp_1", object: "response", created_at: 1, model: "m", output: [], error: null };
const frame = (body: Json, lineEnd = "\n") => `event: ${String(body["type"])}${lineEnd}data: ${JSON.stringify(body)}${lineEnd}${lineEnd}`;
const created = { type: "response.created", sequence_number: 0, response: { ...response, status: "in_progress" } };
const delta = { type: "response.output_text.delta", sequence_number: 1, delta: 'he said "type":"error" and "sequence_number":99, 😀' };
const completed = {
  type: "response.completed",
  sequence_number: 2,
  response: { ...response, status: "completed", usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 } },
};
const text = (events: readonly Json[], lineEnd?: string) => events.map((event) => frame(event, lineEnd)).join("");

async function relay(source: AsyncIterable<Uint8Array>): Promise<{ text: string; usages: Usage[]; errors: GatewayError[] }> {
  const usages: Usage[] = [];
  const errors: GatewayError[] = [];
  const watch = {
    usage: (usage: Usage) => usages.push(usage),
    tellable: (error: GatewayError) => new GatewayError(error.code, error.message.replaceAll("canary", "***")),
    failed: (error: GatewayError) => errors.push(error),
  };
  const out = await joined(openaiResponses.relayStream(source, { dropUsage: true, watch }));
  return { text: out, usages, errors };
}
const eventsOf = (out: string) =>
  out
    .trimEnd()
    .split("\n\n")
    .map((given) => JSON.parse(given.slice(given.indexOf("data: ") + 6)) as Json);

describe("a stream that is relayed", () => {
  it("62: keeps every byte, and its usage is seen, wherever it is split and whatever the line ends", async () => {
    for (const lineEnd of ["\n", "\r\n", "\r"]) {
      const given = `: hi${lineEnd}${lineEnd}${text([created, delta, { type: "response.novel", x: 1 }, completed], lineEnd)}`;
      const expected = { text: given, usages: [{ inputTokens: 3, outputTokens: 2 }], errors: [] };
      expect(await relay(stream(given))).toEqual(expected);
      expect(await relay(byTheByte(bytesOf(given)))).toEqual(expected);
      for (let at = 1; at < bytesOf(given).length; at++) expect(await relay(splitAt(bytesOf(given), at))).toEqual(expected);
    }
  });

  it("goes on chunk by chunk, the very same arrays", async () => {
    const chunks = [created, delta, completed].map((event) => bytesOf(frame(event)));
    const watch = { usage: () => undefined, tellable: (error: GatewayError) => error, failed: () => undefined };
    const out = await collect(openaiResponses.relayStream(stream(...chunks), { dropUsage: false, watch }));
    out.forEach((given, i) => expect(given).toBe(chunks[i]));
  });

  it("64: finds the end in JSON that is spaced out or spread over lines, or cut of its blank line", async () => {
    const spread =
      'data: { "type" \ndata: : "response.completed" , "response" : { "usage" : { "input_tokens" : 3 , "output_tokens" : 2 } } }\n\n';
    expect(await relay(stream(text([created]) + spread))).toMatchObject({ usages: [{ inputTokens: 3, outputTokens: 2 }], errors: [] });
    expect(await relay(stream(text([created, completed]).trimEnd()))).toMatchObject({
      usages: [{ inputTokens: 3, outputTokens: 2 }],
      errors: [],
    });
  });

  it("54, 55: that breaks off ends with an error and a failed response, whose numbers go on", async () => {
    const reset = new GatewayError("upstream_unavailable", "reset");
    for (const [source, error] of [
      [() => stream(text([created, delta])), { code: "upstream_interrupted" }],
      [() => stream(`${text([created, delta])}data: {"type":"respo`), { code: "upstream_interrupted" }],
      [() => breaking(reset, text([created, delta])), reset],
      [() => byTheByte(bytesOf(text([created, delta]))), { code: "upstream_interrupted" }],
    ] as const) {
      const out = await relay(source());
      expect(out.errors).toMatchObject([error]);
      const events = eventsOf(out.text);
      expect(events.map((event) => event["type"])).toEqual(["response.created", "response.output_text.delta", "error", "response.failed"]);
      expect(events.map((event) => event["sequence_number"])).toEqual([0, 1, 2, 3]);
      expect(events[3]).toMatchObject({ response: { id: "resp_1", status: "failed", error: { code: "server_error" } } });
    }
  });

  it("54: never passes on the vendor's own error, which may quote a credential", async () => {
    for (const failed of [
      { type: "error", sequence_number: 2, code: "server_error", message: "key canary", param: null },
      { type: "error", sequence_number: 2, error: { message: "key canary", code: "server_error" } },
      {
        type: "response.failed",
        sequence_number: 2,
        response: { ...response, status: "failed", error: { code: "server_error", message: "key canary" } },
      },
    ]) {
      const out = await relay(stream(text([created, delta, failed])));
      expect(out.text).not.toContain("canary");
      expect(out.errors).toMatchObject([{ code: "upstream_unavailable", message: "key ***" }]);
      const numbers = eventsOf(out.text).map((event) => event["sequence_number"] as number);
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(new Set(numbers).size).toBe(numbers.length);
    }
  });

  it("55: of nothing is an error alone; behind the end nothing matters", async () => {
    const empty = await relay(stream(""));
    expect(eventsOf(empty.text).map((event) => event["type"])).toEqual(["error"]);
    const whole = text([created, completed]);
    expect(await relay(breaking(new GatewayError("upstream_unavailable", "reset"), whole))).toMatchObject({ text: whole, errors: [] });
    expect(await relay(stream(`${whole}data: [DONE]\n\n`))).toMatchObject({ text: `${whole}data: [DONE]\n\n`, errors: [] });
  });

  it("an answer that was cut, or cancelled, is an answer", async () => {
    for (const type of ["response.incomplete", "response.cancelled"])
      expect((await relay(stream(text([created, { ...completed, type }])))).errors).toEqual([]);
  });
});
