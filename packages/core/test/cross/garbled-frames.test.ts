import { describe, expect, it } from "vitest";
import type { ProtocolId } from "../../src/calls/index.js";
import type { GatewayError } from "../../src/errors/index.js";
import { byTheByte, bytesOf, joined, stream } from "../wire/chunks.js";
import { codecs } from "./wires.js";

// F51: what is no JSON in a stream that is relayed.

const begins: Readonly<Record<ProtocolId, string>> = {
  "openai-chat": 'data: {"id":"c","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n',
  "openai-responses":
    'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","sequence_number":1,"item_id":"m","output_index":0,"content_index":0,"delta":"hi"}\n\n',
  "anthropic-messages":
    'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}\n\n',
  "google-genai": 'data: {"candidates":[{"content":{"role":"model","parts":[{"text":"hi"}]}}]}\n\n',
};

async function relayed(protocol: ProtocolId, chunks: AsyncIterable<Uint8Array>) {
  const errors: string[] = [];
  const failed = (error: GatewayError): void => void errors.push(error.code);
  const watch = { usage: () => undefined, tellable: (error: GatewayError) => error, failed };
  const text = await joined(codecs[protocol].relayStream(chunks, { dropUsage: false, watch }));
  return { text, errors };
}

describe.each(Object.entries(begins) as [ProtocolId, string][])("F51: a relayed stream of %s", (protocol, begin) => {
  const named = begin.startsWith("event:") ? begin.slice(0, begin.indexOf("\n") + 1) : "";
  it.each([
    ["is cut off", `${named}data: {"type":"conte\n\n`],
    ["is cut off, over several lines", `${named}data: {"a":\ndata: [1,\n\n`],
    ["is no JSON", "data: <html>502 Bad Gateway</html>\n\n"],
  ])("ends with a typed error in its dialect when a frame %s, wherever the chunks are split", async (_what, garbage) => {
    const given = bytesOf(begin + garbage + begin);
    for (const chunks of [stream(given), stream(bytesOf(begin), bytesOf(garbage), bytesOf(begin)), byTheByte(given)]) {
      const { text, errors } = await relayed(protocol, chunks);
      expect(errors).toEqual(["upstream_protocol"]);
      expect(text.startsWith(begin)).toBe(true);
      const rest = text.slice(begin.length);
      expect(rest).toContain("error");
      expect(rest).not.toContain("html");
      expect(rest).not.toContain('"hi"');
      expect(rest).not.toContain("[DONE]");
    }
  });

  it("is passed on with JSON that is spread over lines, spaced out, or of events that nobody knows", async () => {
    const given = `${begin.replace("data: {", "data: {\ndata: ").replaceAll("\n", "\r\n")}: a comment\n\nevent: of.tomorrow\ndata: tick\n\ndata:  {"a":1} \n\ndata:\n\n`;
    const { text } = await relayed(protocol, stream(bytesOf(given)));
    expect(text.startsWith(given)).toBe(true);
  });
});
