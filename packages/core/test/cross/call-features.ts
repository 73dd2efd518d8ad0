import type { MediaPart, Message, ModelCall, ToolCallPart, ToolResultPart } from "../../src/calls/index.js";

export interface CallFeature {
  readonly name: string;
  readonly call: Partial<ModelCall>;
  /** What of a call the feature is about. */
  readonly pick: (call: ModelCall) => unknown;
}

const text = (said: string) => ({ type: "text", text: said }) as const;
export const user: Message = { role: "user", content: [text("hi")] };
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false } as const;
const tool = { name: "weather", description: "d", inputSchema: schema };
const call = (id: string, args = '{"city":"Köln"}'): ToolCallPart => ({ type: "tool-call", id, name: "weather", arguments: args });
const result = (callId: string, more: Partial<ToolResultPart> = {}): ToolResultPart => ({
  type: "tool-result",
  callId,
  content: [text("sunny")],
  ...more,
});
const asks = (part: MediaPart): Partial<ModelCall> => ({ messages: [{ role: "user", content: [text("see"), part] }] });
const media = (mediaType: string, source: MediaPart["source"], filename?: string): MediaPart => ({
  type: "media",
  mediaType,
  source,
  ...(filename === undefined ? {} : { filename }),
});
const turns = (calls: readonly ToolCallPart[], results: readonly ToolResultPart[]): Partial<ModelCall> => ({
  tools: [tool],
  messages: [user, { role: "assistant", content: calls }, { role: "tool", content: results }],
});
const partsOf = (of: ModelCall, role: string) =>
  of.messages.filter((message) => message.role === role).flatMap((message) => message.content as readonly object[]);
const mediaOf = (of: ModelCall) => partsOf(of, "user").filter((part) => (part as { type: string }).type === "media");
const texts = (of: ModelCall) =>
  of.messages.map((message) => [message.role, message.content.map((part) => (part.type === "text" ? part.text : part.type)).join("|")]);
const field =
  <K extends keyof ModelCall>(key: K) =>
  (of: ModelCall) =>
    of[key];
const callsOf = (of: ModelCall) =>
  partsOf(of, "assistant").flatMap((part) =>
    (part as ToolCallPart).type === "tool-call"
      ? [{ id: (part as ToolCallPart).id, name: (part as ToolCallPart).name, arguments: (part as ToolCallPart).arguments }]
      : [],
  );
const resultsOf = (of: ModelCall) => partsOf(of, "tool");

const pdf = media("application/pdf", { kind: "base64", data: "AAAA" }, "a.pdf");
const sound = media("audio/wav", { kind: "base64", data: "AAAA" });
const namesOf = (of: ModelCall) => of.tools?.map((spec) => ("hosted" in spec ? spec.hosted : spec.name));

export const callFeatures: readonly CallFeature[] = [
  { name: "text", call: { messages: [{ role: "user", content: [text("hé 😀\n")] }] }, pick: texts },
  { name: "a system message", call: { messages: [{ role: "system", content: [text("s")] }, user] }, pick: texts },
  { name: "a developer message", call: { messages: [{ role: "developer", content: [text("s")] }, user] }, pick: texts },
  {
    name: "several system messages",
    call: { messages: [{ role: "system", content: [text("a"), text("b")] }, { role: "developer", content: [text("c")] }, user] },
    pick: texts,
  },
  {
    name: "a system message in the middle",
    call: { messages: [user, { role: "assistant", content: [text("a")] }, { role: "system", content: [text("s")] }, user] },
    pick: texts,
  },
  {
    name: "turns of one role in a row",
    call: { messages: [user, user, { role: "assistant", content: [text("a")] }, { role: "assistant", content: [text("b")] }, user] },
    pick: texts,
  },
  { name: "an assistant first", call: { messages: [{ role: "assistant", content: [text("a")] }, user] }, pick: texts },
  {
    name: "a name of the user",
    call: { messages: [{ ...user, name: "bob" }] },
    pick: (of) => of.messages.map((m) => ("name" in m ? m.name : undefined)),
  },
  { name: "temperature 0", call: { temperature: 0 }, pick: field("temperature") },
  { name: "temperature 2", call: { temperature: 2 }, pick: field("temperature") },
  { name: "top_p", call: { topP: 0.5 }, pick: field("topP") },
  { name: "top_k", call: { topK: 5 }, pick: field("topK") },
  { name: "stop sequences", call: { stop: ["a", "b"] }, pick: field("stop") },
  { name: "seed 0", call: { seed: 0 }, pick: field("seed") },
  { name: "penalties", call: { presencePenalty: 1, frequencyPenalty: -1 }, pick: (of) => [of.presencePenalty, of.frequencyPenalty] },
  { name: "several answers", call: { n: 2 }, pick: field("n") },
  { name: "probabilities", call: { logprobs: 2 }, pick: field("logprobs") },
  { name: "a limit of tokens", call: { maxOutputTokens: 5000 }, pick: field("maxOutputTokens") },
  { name: "a tool", call: { tools: [tool] }, pick: (of) => of.tools },
  { name: "a strict tool", call: { tools: [{ ...tool, strict: true }] }, pick: (of) => of.tools },
  { name: "choice auto", call: { tools: [tool], toolChoice: "auto" }, pick: field("toolChoice") },
  { name: "choice none", call: { tools: [tool], toolChoice: "none" }, pick: (of) => [of.toolChoice, namesOf(of)] },
  { name: "choice required", call: { tools: [tool], toolChoice: "required" }, pick: field("toolChoice") },
  { name: "choice of one", call: { tools: [tool], toolChoice: { name: "weather" } }, pick: field("toolChoice") },
  {
    name: "choice among some",
    call: { tools: [tool, { ...tool, name: "other" }], toolChoice: { allowed: ["weather"], required: true } },
    pick: field("toolChoice"),
  },
  { name: "one call at a time", call: { tools: [tool], parallelToolCalls: false }, pick: field("parallelToolCalls") },
  {
    name: "parallel calls",
    call: turns([call("1"), call("2", "{}")], [result("1"), result("2")]),
    pick: (of) => [callsOf(of), resultsOf(of)],
  },
  {
    name: "arguments beyond doubles, in order",
    call: turns([call("1", '{"z":12345678901234567890,"a":1.0}')], [result("1")]),
    pick: callsOf,
  },
  { name: "arguments that are no JSON", call: turns([call("1", '{"city":')], [result("1")]), pick: callsOf },
  { name: "a failed result", call: turns([call("1")], [result("1", { isError: true })]), pick: resultsOf },
  { name: "an empty result", call: turns([call("1")], [result("1", { content: [] })]), pick: resultsOf },
  {
    name: "a picture in a result",
    call: turns([call("1")], [result("1", { content: [text("a"), media("image/png", { kind: "base64", data: "AAAA" })] })]),
    pick: (of) => [resultsOf(of), mediaOf(of)],
  },
  { name: "a picture by URL", call: asks(media("image/*", { kind: "url", url: "https://x.test/a.png" })), pick: mediaOf },
  { name: "a picture", call: asks(media("image/png", { kind: "base64", data: "AAAA" })), pick: mediaOf },
  {
    name: "how closely to look",
    call: asks({ ...media("image/png", { kind: "base64", data: "AAAA" }), detail: "low" }),
    pick: (of) => of.messages[0]?.content.map((part) => (part.type === "media" ? part.detail : undefined)),
  },
  { name: "a document", call: asks(pdf), pick: mediaOf },
  { name: "a document by URL", call: asks(media("application/pdf", { kind: "url", url: "https://x.test/a.pdf" })), pick: mediaOf },
  { name: "sound", call: asks(sound), pick: mediaOf },
  { name: "film", call: asks(media("video/mp4", { kind: "base64", data: "AAAA" })), pick: mediaOf },
  { name: "an uploaded file", call: asks(media("application/octet-stream", { kind: "file", id: "file_1" })), pick: mediaOf },
  { name: "JSON", call: { output: { type: "json" } }, pick: field("output") },
  { name: "a schema", call: { output: { type: "json-schema", name: "place", schema, strict: true } }, pick: field("output") },
  { name: "effort low", call: { reasoning: { effort: "low" }, maxOutputTokens: 50_000 }, pick: field("reasoning") },
  { name: "effort none", call: { reasoning: { effort: "none" } }, pick: field("reasoning") },
  { name: "effort max", call: { reasoning: { effort: "max" }, maxOutputTokens: 100_000 }, pick: field("reasoning") },
  { name: "a budget of thought", call: { reasoning: { budgetTokens: 8192 }, maxOutputTokens: 50_000 }, pick: field("reasoning") },
  { name: "thought as it likes", call: { reasoning: {}, maxOutputTokens: 50_000 }, pick: field("reasoning") },
  {
    name: "a mark of a cache",
    call: { messages: [{ role: "user", content: [{ ...text("a"), cache: { ttl: "1h" } }] }] },
    pick: (of) => of.messages[0]?.content.map((part) => ("cache" in part ? part.cache : undefined)),
  },
  { name: "a tier", call: { serviceTier: "priority" }, pick: field("serviceTier") },
  { name: "a key of a cache", call: { promptCacheKey: "k" }, pick: field("promptCacheKey") },
  { name: "how long a cache is kept", call: { promptCacheRetention: "24h" }, pick: field("promptCacheRetention") },
  { name: "how much is said", call: { verbosity: "low" }, pick: field("verbosity") },
  { name: "a user by both names", call: { user: "u", safetyIdentifier: "s" }, pick: (of) => [of.user, of.safetyIdentifier ?? "s"] },
  { name: "a user", call: { user: "u" }, pick: field("user") },
  { name: "metadata", call: { metadata: { team: "a" } }, pick: field("metadata") },
  { name: "sound in the answer", call: { outputModalities: ["text", "audio"] }, pick: field("outputModalities") },
  {
    name: "a tool of text",
    call: { tools: [{ name: "shell", inputSchema: {}, input: "text" }] },
    pick: (of) => of.tools?.map((spec) => ("hosted" in spec ? "" : [spec.name, spec.input ?? "json", spec.inputSchema["required"] ?? []])),
  },
  {
    name: "a grammar of a tool of text",
    call: { tools: [{ name: "shell", inputSchema: {}, input: "text", grammar: { syntax: "regex", definition: "a+" } }] },
    pick: (of) => of.tools?.map((spec) => ("hosted" in spec ? "" : [spec.grammar?.definition ?? "", spec.description ?? ""])),
  },
  {
    name: "reasoning of before",
    call: { messages: [user, { role: "assistant", content: [{ type: "reasoning", text: "so", opaque: "c2VhbGVk" }, text("a")] }, user] },
    pick: (of) => partsOf(of, "assistant"),
  },
  {
    name: "a refusal of before",
    call: { messages: [user, { role: "assistant", content: [{ type: "refusal", text: "no" }] }, user] },
    pick: (of) => partsOf(of, "assistant"),
  },
];
