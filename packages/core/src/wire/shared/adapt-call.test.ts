import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { modelCall } from "../../../test/wire/chat-arbitraries.js";
import {
  fold,
  unfold,
  type Message,
  type ModelAnswer,
  type ModelCall,
  type ModelEvent,
  type ProtocolId,
  type ToolCallPart,
  type ToolSpec,
} from "../../calls/index.js";
import { adaptCall, urlMediaOf, withMedia } from "./adapt-call.js";
import { fitNames } from "./adapt/fit-names.js";
import { budgetOfEffort, effortOfBudget } from "./adapt/reasoning-effort.js";
import type { CodecTraits, Quirks } from "./codec.js";

const traits: CodecTraits = {
  toolName: /^[a-zA-Z0-9_-]{1,64}$/,
  toolCallId: /^[a-zA-Z0-9_-]{1,40}$/,
  textTools: false,
  carries: { reasoning: true, toolCalls: true, text: true },
};
const to = (call: Partial<ModelCall>, quirks: Quirks = {}, more: Partial<CodecTraits> = {}) =>
  adaptCall({ model: "m", messages: [user], ...call }, { protocol: "anthropic-messages", traits: { ...traits, ...more }, quirks });
const text = (said: string) => ({ type: "text", text: said }) as const;
const user: Message = { role: "user", content: [text("hi")] };
const call = (id: string, name = "f", args = "{}"): ToolCallPart => ({ type: "tool-call", id, name, arguments: args });
const turn = (...content: Extract<Message, { role: "assistant" }>["content"]): Message => ({ role: "assistant", content });
const result = (callId: string, said = "ok") => ({ type: "tool-result", callId, content: [text(said)] }) as const;
const results = (...content: Extract<Message, { role: "tool" }>["content"]): Message => ({ role: "tool", content });
const tool = (name: string) => ({ name, inputSchema: { type: "object" } }) as const;
const answerWith = (...content: ModelAnswer["candidates"][0]["content"]): ModelAnswer => ({
  id: "a",
  model: "m",
  createdAtMs: 1,
  candidates: [{ index: 0, content, finishReason: "tool-calls" }],
  usage: {},
});
async function* from(events: Iterable<ModelEvent>): AsyncGenerator<ModelEvent> {
  yield* events;
}

describe("names of tools", () => {
  const odd = ["files.read", "a/b", "1st", "x".repeat(80), "naïve", "", "files_read", "files-read"];

  it("47: become names that the target takes, each its own, and come back in the answer", async () => {
    const adapted = to({ tools: odd.map(tool), toolChoice: { allowed: ["files.read", "files_read"], required: true } });
    const names = (adapted.call.tools ?? []).map((spec) => ("hosted" in spec ? "" : spec.name));
    expect(new Set(names).size).toBe(odd.length);
    for (const name of names) expect(name).toMatch(traits.toolName);
    expect(names.slice(-2)).toEqual(["files_read", "files-read"]);
    expect(adapted.call.toolChoice).toEqual({ allowed: [names[0], "files_read"], required: true });
    const answer = answerWith(...names.map((name, i) => call(`c${i}`, name)));
    const restored = adapted.restoreAnswer(answer);
    expect(restored.candidates[0]?.content.map((part) => (part.type === "tool-call" ? part.name : ""))).toEqual(odd);
    expect(await fold(adapted.restore(from(unfold(answer))))).toEqual(restored);
  });

  it("are the same whatever stands beside them", () => {
    const alone = to({ tools: [tool("a.b")] }).call.tools;
    expect(to({ tools: [tool("z z"), tool("a.b")] }).call.tools?.[1]).toEqual(alone?.[0]);
  });

  it("in earlier turns and in the choice follow their tool", () => {
    const { call: adapted } = to({
      tools: [tool("a.b")],
      messages: [user, turn(call("1", "a.b")), results(result("1"))],
      toolChoice: { name: "a.b" },
    });
    const name = (adapted.tools?.[0] as { name: string }).name;
    expect(adapted.messages[1]?.content).toEqual([call("1", name)]);
    expect(adapted.toolChoice).toEqual({ name });
  });

  it("that hash alike stay apart, and a made name never takes the place of a given one", () => {
    const made = fitNames(["a.b"], traits.toolName).get("a.b") as string;
    const both = fitNames(["a.b", made], traits.toolName);
    expect(both.get("a.b")).not.toBe(made);
    expect(both.has(made)).toBe(false);
    fc.assert(
      fc.property(fc.array(fc.string()), (names) => {
        const fitted = fitNames(names, traits.toolName);
        const all = [...new Set(names)].map((name) => fitted.get(name) ?? name);
        expect(new Set(all).size).toBe(all.length);
        expect(all.every((name) => traits.toolName.test(name))).toBe(true);
      }),
    );
  });

  it("48: that stand twice are refused", () => {
    expect(() => to({ tools: [tool("a"), tool("b"), tool("a")] })).toThrow(
      expect.objectContaining({ code: "validation_failed", details: { param: "tools[2].name" } }),
    );
  });

  it("are left alone with everything else when they fit", () => {
    const given: ModelCall = {
      model: "m",
      messages: [user, turn(call("1")), results(result("1"))],
      tools: [tool("f")],
      toolChoice: "none",
    };
    const adapted = adaptCall(given, { protocol: "openai-chat", traits, quirks: {} });
    expect(adapted.call).toEqual(given);
    expect(adapted.warnings).toEqual([]);
    const events = from([]);
    expect(adapted.restore(events)).toBe(events);
  });
});

describe("ids of tool calls", () => {
  it.each([44, 64, 450])("35: of %d characters become short ones, the same in call and result, and each time", (length) => {
    const ids = ["a", "b"].map((end) => "x".repeat(length - 1) + end);
    const adapt = () => to({ messages: [user, turn(...ids.map((id) => call(id))), results(...ids.map((id) => result(id)))] }).call.messages;
    const [, asked, answered] = adapt();
    const given = asked?.content.map((part) => (part.type === "tool-call" ? part.id : ""));
    expect(new Set(given).size).toBe(2);
    for (const id of given ?? []) expect(id).toMatch(traits.toolCallId);
    expect(answered?.content.map((part) => (part.type === "tool-result" ? part.callId : ""))).toEqual(given);
    expect(adapt()).toEqual(
      to({ messages: [user, turn(...ids.map((id) => call(id))), results(...ids.map((id) => result(id)))] }).call.messages,
    );
  });

  it("97: emoji and other characters in an id", () => {
    const { messages } = to({ messages: [user, turn(call("😀 :1")), results(result("😀 :1"))] }).call;
    expect(messages[1]?.content[0]).toMatchObject({ id: expect.stringMatching(traits.toolCallId) as string });
  });

  it("35: of exactly nine letters and digits, as Mistral wants them", () => {
    const ids = Array.from({ length: 500 }, (_, i) => `call_${i}`);
    const nine: Quirks = { toolCallIds: "nine" };
    const { messages } = to({ messages: [user, turn(...ids.map((id) => call(id))), results(...ids.map((id) => result(id)))] }, nine).call;
    const sent = messages[1]?.content.map((part) => (part.type === "tool-call" ? part.id : "")) ?? [];
    expect(new Set(sent).size).toBe(500);
    expect(sent.every((id) => /^[a-zA-Z0-9]{9}$/.test(id))).toBe(true);
    expect(messages[2]?.content.map((part) => (part.type === "tool-result" ? part.callId : ""))).toEqual(sent);
  });

  it("26: that are used again in a later turn are told apart", () => {
    const again = [
      turn(call("1")),
      results(result("1", "one")),
      turn(call("1"), call("1")),
      results(result("1", "two"), result("1", "three")),
    ];
    const { messages } = to({ messages: [user, ...again] }).call;
    expect(messages[3]?.content).toMatchObject([{ id: "1_2" }, { id: "1_3" }]);
    expect(messages[4]?.content).toMatchObject([
      { callId: "1_2", content: [{ text: "two" }] },
      { callId: "1_3", content: [{ text: "three" }] },
    ]);
  });
});

describe("calls and results", () => {
  it("33: a missing result is an error result that says so", () => {
    const { call: adapted, warnings } = to({ messages: [user, turn(call("1"), call("2")), results(result("2")), user] });
    expect(adapted.messages.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "user"]);
    expect(adapted.messages[2]?.content).toMatchObject([{ callId: "2" }, { callId: "1", isError: true }]);
    expect(warnings).toMatchObject([{ field: "messages[1]" }]);
    expect(to({ messages: [user, turn(call("1")), user] }).call.messages.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "tool",
      "user",
    ]);
  });

  it("34: an orphan result is left out, and told", () => {
    const { call: adapted, warnings } = to({ messages: [user, results(result("9")), turn(call("1")), results(result("1"), result("1"))] });
    expect(adapted.messages).toEqual([user, turn(call("1")), results(result("1"))]);
    expect(warnings.map(({ field }) => field)).toEqual(["messages[1].content[0]", "messages[3].content[1]"]);
  });

  it("a result that came late goes to its turn", () => {
    const { messages } = to({ messages: [user, turn(call("1")), user, results(result("1"))] }).call;
    expect(messages).toEqual([user, turn(call("1")), results(result("1")), user]);
  });

  it("turns that were told apart and are answered together are one; an interrupted one stays apart", () => {
    const split = [user, turn(call("1")), turn(text("and")), turn(call("2")), results(result("1"), result("2"))];
    expect(to({ messages: split }).call.messages).toEqual([
      user,
      turn(call("1"), text("and"), call("2")),
      results(result("1"), result("2")),
    ]);
    const interrupted = to({ messages: [user, turn(call("1")), turn(text("well"))] }).call.messages;
    expect(interrupted.map(({ role }) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
  });

  it("are let be when a part of the conversation is at the vendor", () => {
    const given: ModelCall = {
      model: "m",
      messages: [results(result("x".repeat(80)))],
      extras: { "anthropic-messages": { previous: "r" } },
    };
    expect(to(given, {}, { keptHistory: ["previous"] }).call.messages).toEqual(given.messages);
    expect(to(given).call.messages).toEqual([]);
  });

  it("40: tools are kept beside the choice of none, and those of the conversation are declared where the target wants them", () => {
    const messages = [user, turn(call("1", "a.b"), call("2", "g")), results(result("1"), result("2")), user];
    expect(to({ messages, tools: [tool("f")], toolChoice: "none" }).call).toMatchObject({ tools: [tool("f")], toolChoice: "none" });
    expect(to({ messages }).call.tools).toBeUndefined();
    const { call: adapted, warnings } = to({ messages }, {}, { toolsWithHistory: true });
    expect(adapted.tools).toMatchObject([{ name: expect.stringMatching(/^a_b_/) as string }, { name: "g" }]);
    expect(adapted.toolChoice).toBe("none");
    expect(warnings).toMatchObject([{ field: "tools" }]);
  });
});

describe("tools that take text", () => {
  const shell = { name: "my.shell", description: "d", inputSchema: {}, input: "text" } as const;
  const used = [user, turn({ ...call("1", "my.shell", 'ls "a"'), input: "text" }), results(result("1"))];

  it("42: are functions of one text where the target has none", () => {
    const { call: adapted, warnings } = to({ tools: [shell], messages: used });
    expect(adapted.tools).toMatchObject([{ description: "d", inputSchema: { required: ["input"] } }]);
    expect(adapted.tools?.[0]).not.toHaveProperty("input");
    expect(adapted.messages[1]?.content).toMatchObject([{ arguments: '{"input":"ls \\"a\\""}' }]);
    expect(warnings).toMatchObject([{ field: "tools[0]" }]);
    expect(to({ tools: [shell], messages: used }, {}, { textTools: true, toolName: /./ }).call).toMatchObject({
      tools: [shell],
      messages: used,
    });
    const bound = to({ tools: [{ ...shell, grammar: { syntax: "regex", definition: "[a-z]+" } }] });
    expect(bound.call.tools).toMatchObject([{ description: expect.stringMatching(/^d\n\n.*\(regex\):\n\[a-z\]\+$/) as string }]);
    expect(bound.call.tools?.[0]).not.toHaveProperty("grammar");
    expect(bound.warnings[0]?.what).toContain("grammar");
    expect(to({ tools: [shell] }, { textTools: false }, { textTools: true }).call.tools).not.toMatchObject([{ input: "text" }]);
  });

  it.each([
    ['{"input":"ls \\n \\"é\\""}', 'ls \n "é"'],
    ['{"command":"ls"}', "ls"],
    ['"ls"', "ls"],
    ["ls -la", "ls -la"],
    ['{"input":"cut', '{"input":"cut'],
    ['{"input":{"a":1}}', '{"input":{"a":1}}'],
    ['{"input":""}', ""],
  ])("42: what a model wrote as %j is the text %j, whole and streamed by the character", async (args, said) => {
    const adapted = to({ tools: [shell, tool("f")] });
    const name = (adapted.call.tools?.[0] as { name: string }).name;
    const answer = answerWith(text("so"), call("1", name, args), call("2", "f", '{"input":"x"}'));
    const restored = adapted.restoreAnswer(answer);
    expect(restored.candidates[0]?.content.slice(1)).toEqual([
      { type: "tool-call", id: "1", name: "my.shell", arguments: said, input: "text" },
      call("2", "f", '{"input":"x"}'),
    ]);
    const byCharacter = [...unfold(answer)].flatMap((event): ModelEvent[] =>
      event.type === "tool-call-delta" ? [...event.text].map((character) => ({ ...event, text: character })) : [event],
    );
    const events: ModelEvent[] = [];
    for await (const event of adapted.restore(from(byCharacter))) events.push(event);
    expect(await fold(from(events))).toEqual(restored);
    expect(
      events.filter((event) => event.type === "tool-call-delta" && event.block === 1).map((event) => "text" in event && event.text),
    ).toEqual(said === "" ? [] : [said]);
  });
});

describe("what belongs to another protocol", () => {
  const native = (protocol: "openai-responses" | "anthropic-messages") => ({ type: "native", protocol, item: { type: "x" } }) as const;

  it("43: a hosted tool is refused by its place, an item is left out and told", () => {
    expect(() => to({ tools: [tool("f"), { hosted: "openai-responses", definition: { type: "web_search" } }] })).toThrow(
      expect.objectContaining({ code: "unsupported_feature", details: { param: "tools[1]" } }),
    );
    const own = { hosted: "anthropic-messages", definition: { type: "web_search" } } as const;
    expect(to({ tools: [own] }).call.tools).toEqual([own]);
    const { call: adapted, warnings } = to({
      messages: [user, turn(native("openai-responses"), text("a"), native("anthropic-messages")), turn(native("openai-responses"))],
    });
    expect(adapted.messages).toEqual([user, turn(text("a"), native("anthropic-messages"))]);
    expect(warnings.map(({ field }) => field)).toEqual(["messages[1].content[0]", "messages[2].content[0]"]);
  });

  it("fields of another protocol alone are told", () => {
    const { warnings } = to({ extras: { "openai-chat": { logit_bias: {} }, "anthropic-messages": { inference_geo: "us" } } });
    expect(warnings).toEqual([{ field: "logit_bias", what: "is a field of openai-chat alone, and was left out" }]);
  });

  it("fields of another protocol in turns, parts and tools are told, and what only names or marks them is not", () => {
    const own = (fields: Record<string, unknown>) => ({ extras: { "openai-chat": fields } });
    const said = { ...user, ...own({ audio: { id: "a" }, custom: {} }), content: [{ ...text("a"), ...own({ context: "c", id: "1" }) }] };
    const tool = { name: "f", inputSchema: {}, ...own({ input_examples: [1], defer_loading: false }) };
    const told = to({ messages: [said as Message], tools: [tool as ToolSpec] }).warnings.map(({ field }) => field);
    expect(told).toEqual(["messages[0].audio", "messages[0].content[0].context", "tools[0].input_examples"]);
  });

  it.each(["prompt", "cachedContent", "mcp_servers", "web_search_options"])("%s of another protocol is refused", (name) => {
    const extras = (protocol: ProtocolId) => ({ extras: { [protocol]: { [name]: {} } } }) as Partial<ModelCall>;
    const refused = expect.objectContaining({ code: "unsupported_feature", details: { param: name } });
    expect(() => to(extras("openai-chat"))).toThrow(refused);
    expect(() => to(extras("anthropic-messages"))).not.toThrow();
  });

  it("13: a text of no length beside calls is left out, unless it holds something", () => {
    const sealed = { ...text(""), opaque: "o" };
    const { call: adapted } = to({ messages: [user, turn(call("a"), text(""), sealed), results(result("a"))] });
    expect(adapted.messages[1]).toEqual(turn(call("a"), sealed));
  });

  it("13: a turn without content is left out", () => {
    expect(
      to({ messages: [user, turn(), turn(text("")), { ...turn(), extras: { "openai-chat": { a: 1 } } }, user] }).call.messages,
    ).toEqual([user, user]);
    const own = { ...turn(), extras: { "anthropic-messages": { a: 1 } } };
    expect(to({ messages: [user, own] }).call.messages).toEqual([user, own]);
  });
});

describe("how much to think", () => {
  const grid = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "disabled"] as const;
  const families: [string, readonly string[] | undefined, readonly string[]][] = [
    ["any word", undefined, [...grid]],
    [
      "all words",
      ["none", "minimal", "low", "medium", "high", "xhigh", "max"],
      ["none", "minimal", "low", "medium", "high", "xhigh", "max", "none"],
    ],
    ["none to high", ["none", "low", "medium", "high"], ["none", "none", "low", "medium", "high", "high", "high", "none"]],
    ["low to high, never off", ["low", "medium", "high"], ["low", "low", "low", "medium", "high", "high", "high", "low"]],
    [
      "no max",
      ["none", "minimal", "low", "medium", "high", "xhigh"],
      ["none", "minimal", "low", "medium", "high", "xhigh", "xhigh", "none"],
    ],
    ["low, high and max", ["low", "high", "max"], ["low", "low", "low", "low", "high", "high", "max", "low"]],
    ["off alone", ["none"], grid.map(() => "none")],
  ];
  it.each(families)("20: where the vendor knows %s", (_name, efforts, expected) => {
    const quirks: Quirks = efforts === undefined ? {} : { efforts };
    const sent = grid.map((effort) => to({ reasoning: { effort } }, quirks));
    expect(sent.map(({ call: { reasoning } }) => reasoning?.effort)).toEqual(expected);
    sent.forEach(({ warnings }, i) => expect(warnings.length).toBe(expected[i] === grid[i] ? 0 : 1));
    expect(to({}, quirks).call.reasoning).toBeUndefined();
    expect(() => to({ reasoning: { effort: "" } }, quirks)).toThrow(expect.objectContaining({ details: { param: "reasoning.effort" } }));
    if (efforts === undefined) expect(to({ reasoning: { effort: "invalid" } }).call.reasoning).toEqual({ effort: "invalid" });
    else
      expect(() => to({ reasoning: { effort: "invalid" } }, quirks)).toThrow(
        expect.objectContaining({ code: "unsupported_feature", details: { param: "reasoning.effort" } }),
      );
  });

  it("a vendor's own word is its own", () => {
    expect(to({ reasoning: { effort: "ultra" } }, { efforts: ["low", "ultra"] }).call.reasoning).toEqual({ effort: "ultra" });
  });

  it("tokens become the strongest word that they pay for, words become tokens, and there and back is the same word", () => {
    expect([0, 1, 512, 1023, 1024, 8191, 8192, 24_576, 32_768, 1e6].map(effortOfBudget)).toEqual([
      "none",
      "minimal",
      "minimal",
      "minimal",
      "low",
      "low",
      "medium",
      "high",
      "xhigh",
      "max",
    ]);
    for (const word of grid.slice(0, -1)) expect(effortOfBudget(budgetOfEffort(word) as number)).toBe(word);
    const { call: inWords, warnings } = to({ reasoning: { budgetTokens: 10_000, visible: true } }, {}, { reasoningBy: "effort" });
    expect(inWords.reasoning).toEqual({ effort: "medium", visible: true });
    expect(warnings).toMatchObject([{ field: "reasoning.budgetTokens" }]);
    expect(to({ reasoning: { effort: "high" } }, { reasoningBy: "budget" }).call.reasoning).toEqual({ budgetTokens: 24_576 });
    expect(to({ reasoning: { effort: "high", budgetTokens: 5 } }, { reasoningBy: "budget" }).call.reasoning).toEqual({ budgetTokens: 5 });
    expect(to({ reasoning: { effort: "high", budgetTokens: 5 } }, { reasoningBy: "effort" }).call.reasoning).toEqual({ effort: "high" });
    expect(() => to({ reasoning: { effort: "odd" } }, { reasoningBy: "budget" })).toThrow(
      expect.objectContaining({ code: "unsupported_feature" }),
    );
  });
});

describe("what a vendor's row says", () => {
  it("90: fields that it refuses are left out and told, zeros of the others are kept", () => {
    const { call: adapted, warnings } = to(
      { temperature: 0, seed: 0, presencePenalty: 1, topK: 3 },
      { dropped: ["presencePenalty", "topK", "stop"] },
    );
    expect(adapted).toMatchObject({ temperature: 0, seed: 0 });
    expect([adapted.presencePenalty, adapted.topK]).toEqual([undefined, undefined]);
    expect(warnings.map(({ field }) => field)).toEqual(["presencePenalty", "topK"]);
  });

  it("94: a schema that it does not know is told to the model, behind the system's messages", () => {
    const system: Message = { role: "system", content: [text("s")] };
    const output = { type: "json-schema", name: "place", schema: { type: "object" }, strict: true } as const;
    const { call: adapted, warnings } = to({ messages: [system, user], output }, { jsonObjectOnly: true });
    expect(adapted.output).toEqual({ type: "json" });
    expect(adapted.messages.map(({ role }) => role)).toEqual(["system", "system", "user"]);
    expect(adapted.messages[1]?.content).toMatchObject([{ text: expect.stringContaining('{"type":"object"}') as string }]);
    expect(warnings).toMatchObject([{ field: "output" }]);
    expect(to({ output: { type: "json" } }, { jsonObjectOnly: true }).call.output).toEqual({ type: "json" });
  });

  it("83: system messages stand at the front alone; a later one is the user's, marked", () => {
    const system = (said: string): Message => ({ role: "system", content: [text(said)] });
    const given: Message[] = [system("a"), { role: "developer", content: [text("b")] }, user, system("c")];
    expect(to({ messages: given }).call.messages).toEqual(given);
    const { call: adapted, warnings } = to({ messages: given }, { systemAnywhere: false });
    expect(adapted.messages).toEqual([...given.slice(0, 3), { role: "user", content: [text("<system>\nc\n</system>")] }]);
    expect(warnings).toMatchObject([{ field: "messages[3]" }]);
  });
});

describe("media by URL", () => {
  const picture = (url: string, mediaType = "image/*") => ({ type: "media", mediaType, source: { kind: "url", url } }) as const;
  const given: ModelCall = {
    model: "m",
    messages: [
      { role: "user", content: [text("a"), picture("https://x/1"), picture("https://x/2.pdf", "application/pdf")] },
      turn(call("1")),
      results({ type: "tool-result", callId: "1", content: [picture("https://x/1")] }),
    ],
  };

  it("84: is named by its places, by what the target takes, and replaced by what was fetched", () => {
    expect(urlMediaOf(given).map(({ field, url }) => [field, url])).toEqual([
      ["messages[0].content[1]", "https://x/1"],
      ["messages[0].content[2]", "https://x/2.pdf"],
      ["messages[2].content[0].content[0]", "https://x/1"],
    ]);
    expect(urlMediaOf(given, { traits, quirks: {} })).toEqual([]);
    expect(urlMediaOf(given, { traits, quirks: { mediaByUrl: false } })).toHaveLength(3);
    expect(urlMediaOf(given, { traits: { ...traits, mediaByUrl: /^image\// }, quirks: {} })).toHaveLength(1);
    const inlined = withMedia(given, new Map([["https://x/1", { mediaType: "image/png", data: "AAAA" }]]));
    expect(urlMediaOf(inlined)).toHaveLength(1);
    expect(inlined.messages[2]?.content[0]).toMatchObject({
      content: [{ mediaType: "image/png", source: { kind: "base64", data: "AAAA" } }],
    });
    expect(withMedia(given, new Map())).toBe(given);
  });
});

describe("text that is no Unicode", () => {
  it("97: halves of surrogate pairs are replaced, also where JSON text escapes them, and told once", () => {
    const args = '{"a":"\\ud83d","b":"\\ud83d\\ude00","c":"\\\\ud83d","d":"\\uDE00x"}';
    const { call: adapted, warnings } = to({
      user: "u\ud800",
      messages: [{ role: "user", content: [text("a\udc00b😀\u0000‏")] }, turn(call("1", "f", args)), results(result("1"))],
    });
    expect(adapted.user).toBe("u\ufffd");
    expect(adapted.messages[0]?.content).toEqual([text("a\ufffdb😀\u0000‏")]);
    expect(adapted.messages[1]?.content).toMatchObject([
      { arguments: '{"a":"\\ufffd","b":"\\ud83d\\ude00","c":"\\\\ud83d","d":"\\ufffdx"}' },
    ]);
    expect(warnings).toMatchObject([{ field: "messages" }]);
  });
});

describe("any call", () => {
  it("is adapted the same way each time, and once adapted is left as it is", () => {
    const target = { protocol: "openai-chat", traits, quirks: {} } as const;
    fc.assert(
      fc.property(modelCall, (given) => {
        const once = adaptCall(given, target).call;
        expect(adaptCall(given, target).call).toEqual(once);
        const twice = adaptCall(once, target);
        expect(twice.call).toEqual(once);
        expect(twice.warnings).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
