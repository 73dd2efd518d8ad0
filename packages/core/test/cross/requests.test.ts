import { describe, expect, it } from "vitest";
import type { Message, ModelCall, ProtocolId } from "../../src/calls/index.js";
import { expectValid } from "../wire/openai-schema.js";
import { dataFiles, needsData, readData } from "../wire/test-data.js";
import { protocols, read, refusedField, sentTo } from "./wires.js";

const folders: readonly (readonly [ProtocolId, string])[] = [
  ["openai-chat", "completions"],
  ["openai-responses", "responses"],
  ["anthropic-messages", "messages"],
  ["google-genai", "gemini"],
];
const policies: Readonly<Record<string, ProtocolId>> = {
  openai_with_messages: "openai-chat",
  openai_with_inputs: "openai-responses",
  anthropic_with_system: "anthropic-messages",
  gemini_with_system: "google-genai",
};
const requests = [
  ...folders.flatMap(([face, folder]) => dataFiles(`requests/requests/${folder}`, ".json").map((path) => ({ face, path }))),
  ...dataFiles("requests/requests/policies", ".json").flatMap((path) => {
    const face = policies[/([^/]+)\.json$/.exec(path)?.[1] ?? ""];
    return face === undefined ? [] : [{ face, path }];
  }),
];

type AnyPart = Message["content"][number];

/** What a target refuses of a request, by the field that it names. */
const refused: Readonly<Record<string, Partial<Record<ProtocolId, string>>>> = {
  "completions/full.json": { "openai-responses": "stop", "anthropic-messages": "n" },
  "messages/server_tools.json": { "openai-chat": "tools[0]", "openai-responses": "tools[0]", "google-genai": "tools[0]" },
  "gemini/tools.json": { "openai-chat": "tools[1]", "openai-responses": "tools[1]", "anthropic-messages": "tools[1]" },
  "gemini/passthrough-fields.json": { "openai-chat": "tools[1]", "openai-responses": "tools[1]", "anthropic-messages": "tools[1]" },
  "gemini/image-inline.json": {
    "openai-chat": "messages[0].content[2]",
    "openai-responses": "messages[0].content[2]",
    "anthropic-messages": "messages[0].content[2]",
  },
};
/** OpenAI takes several texts of an assistant without an id, and describes them only with one. */
const notDescribed = new Set(["requests/requests/messages/cache_control.json"]);

/** What routing takes out before another vendor is asked: tokens that it could not read. */
function withoutTokens(call: ModelCall): ModelCall {
  const messages = call.messages.map((message) => ({
    ...message,
    content: message.content.map((part) => ("opaque" in part ? { ...part, opaque: undefined } : part)),
  }));
  return { ...call, messages } as ModelCall;
}

/** What everybody says in a conversation, whoever may say it where; without what a target has to be told beside it. */
function essence(call: ModelCall): unknown {
  const parts = call.messages.flatMap((message) => message.content as readonly AnyPart[]);
  const media = parts.filter(({ type }) => type === "media").length;
  const inResults = parts.flatMap((part) =>
    part.type === "tool-result" ? part.content.filter(({ type }) => type === "media") : [],
  ).length;
  return {
    said: parts.map((part) => (part.type === "text" ? part.text.replace(/^<system>\n|\n<\/system>$|^\(continue\)$/g, "") : "")).join(""),
    calls: parts.flatMap((part) => (part.type === "tool-call" ? [[part.id, part.name, JSON.parse(part.arguments) as unknown]] : [])),
    results: parts.flatMap((part) => (part.type === "tool-result" ? [part.callId] : [])),
    media: media + inResults,
  };
}
const toolsOf = (call: ModelCall) => call.tools?.flatMap((tool) => ("hosted" in tool ? [] : [tool.name]));

describe("recorded requests", () => {
  it("are there", (context) => {
    needsData(context);
    for (const protocol of protocols) expect(requests.filter(({ face }) => face === protocol).length).toBeGreaterThanOrEqual(5);
  });

  // No suite of its own for what is made one a recording: without the data it would be one without a test.
  for (const target of protocols)
    it.each(requests)(`$path to a vendor of ${target}`, ({ face, path }) => {
      const given = read(face, readData(path));
      const call = face === target ? given : withoutTokens(given);
      const field = refused[path.replace("requests/requests/", "")]?.[target];
      if (field !== undefined) {
        expect(refusedField(() => sentTo(target, call))).toBe(field);
        return;
      }
      const sent = sentTo(target, call);
      expect(essence(sent.call)).toEqual(essence(call));
      if (call.maxOutputTokens !== undefined) expect(sent.call.maxOutputTokens).toBe(call.maxOutputTokens);
      if (call.tools !== undefined) expect(toolsOf(sent.call)).toEqual(toolsOf(call));
      // What a caller says in its own dialect goes on as it is.
      if (face === target || notDescribed.has(path)) return;
      if (target === "openai-chat") expectValid("CreateChatCompletionRequest", sent.body);
      if (target === "openai-responses") expectValid("CreateResponse", sent.body);
    });
});
