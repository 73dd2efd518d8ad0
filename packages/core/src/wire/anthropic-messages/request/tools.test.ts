import { describe, expect, it } from "vitest";
import { bodyOf, decode, encode, refusalOf, user, warned } from "../../../../test/wire/anthropic-requests.js";
import { textOf } from "../../../../test/wire/chunks.js";
import type { Message, ModelCall } from "../../../calls/index.js";
import { anthropicMessages as codec } from "../anthropic-messages.js";

describe("tools", () => {
  const call = (id: string, args: string) => ({ type: "tool-call", id, name: "f", arguments: args }) as const;
  const result = (callId: string) => ({ type: "tool-result", callId, content: [{ type: "text", text: callId }] }) as const;

  it("30: arguments keep big numbers and the order of keys both ways, and broken ones make no broken body", () => {
    const text = '{"b": 12345678901234567890, "a":1.0}';
    const messages: Message[] = [
      user("a"),
      { role: "assistant", content: [call("x", text), call("y", '{"a": '), call("z", "")] },
      user("b"),
    ];
    const { bytes } = encode({ messages });
    expect(textOf(bytes)).toContain(`"input":${text}`);
    expect(codec.decodeRequest(bytes).messages[1]?.content.map((part) => (part.type === "tool-call" ? part.arguments : null))).toEqual([
      text,
      '{"INVALID_JSON":"{\\"a\\": "}',
      "{}",
    ]);
    expect(warned({ messages })).toEqual(["messages[1].content[1].arguments"]);
  });

  it("31: results of several messages are one turn of the user, in front of what the user says", () => {
    const messages: Message[] = [
      user("a"),
      { role: "assistant", content: [call("x", "{}"), call("y", "{}")] },
      { role: "tool", content: [result("x")] },
      { role: "tool", content: [result("y")] },
      user("and now?"),
    ];
    const turns = bodyOf({ messages })["messages"];
    expect(turns).toHaveLength(3);
    expect(turns[2].content.map((block: { type: string }) => block.type)).toEqual(["tool_result", "tool_result", "text"]);
  });

  it("32: a turn of results and text is two messages, and one again", () => {
    const content = [
      { type: "tool_result", tool_use_id: "x", content: "r" },
      { type: "text", text: "t" },
    ];
    const made = decode({ messages: [{ role: "user", content }] });
    expect(made.messages.map((message) => message.role)).toEqual(["tool", "user"]);
    expect(bodyOf(made)["messages"]).toEqual([{ role: "user", content }]);
  });

  it("37: a failed result is marked as one", () => {
    const messages: Message[] = [{ role: "tool", content: [{ ...result("x"), isError: true }] }];
    expect(bodyOf({ messages })["messages"][0].content[0]).toMatchObject({ is_error: true, content: "x" });
  });

  it("38: pictures and documents stand in a result as they are", () => {
    const png = { type: "media", mediaType: "image/png", source: { kind: "base64", data: "AAAA" } } as const;
    const pdf = {
      type: "media",
      mediaType: "application/pdf",
      source: { kind: "url", url: "https://x.test/a.pdf" },
      filename: "a.pdf",
    } as const;
    const messages: Message[] = [{ role: "tool", content: [{ ...result("x"), content: [png, pdf] }] }];
    expect(bodyOf({ messages })["messages"][0].content[0].content).toEqual([
      { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } },
      { type: "document", source: { type: "url", url: "https://x.test/a.pdf" }, title: "a.pdf" },
    ]);
  });

  it("39: every choice has its form, and some tools of several are the only ones declared", () => {
    const tools = ["f", "g"].map((name) => ({ name, inputSchema: { type: "object" } }));
    const chosen = (toolChoice: ModelCall["toolChoice"], parallelToolCalls?: boolean) => bodyOf({ tools, toolChoice, parallelToolCalls });
    expect(chosen("auto", false)["tool_choice"]).toEqual({ type: "auto", disable_parallel_tool_use: true });
    expect(chosen("required")["tool_choice"]).toEqual({ type: "any" });
    expect(chosen({ name: "g" }, true)["tool_choice"]).toEqual({ type: "tool", name: "g", disable_parallel_tool_use: false });
    expect(chosen(undefined, false)["tool_choice"]).toEqual({ type: "auto", disable_parallel_tool_use: true });
    expect(chosen(undefined, true)).not.toHaveProperty("tool_choice");
    const some = chosen({ allowed: ["g"], required: true });
    expect(some["tool_choice"]).toEqual({ type: "any" });
    expect(some["tools"].map((tool: { name: string }) => tool.name)).toEqual(["g"]);
    expect(warned({ tools, toolChoice: { allowed: ["g"], required: false } })).toEqual(["toolChoice.allowed"]);
  });

  it("40: tools are declared also when none may be called", () => {
    const body = bodyOf({ tools: [{ name: "f", inputSchema: {} }], toolChoice: "none" });
    expect(body["tools"]).toEqual([{ name: "f", input_schema: { type: "object" } }]);
    expect(body["tool_choice"]).toEqual({ type: "none" });
  });

  it("43: the vendor's own tools go as they are, another vendor's are refused by name", () => {
    const tools = [{ type: "web_search_20250305", name: "web_search", max_uses: 5 }];
    expect(bodyOf(decode({ tools }))["tools"]).toEqual(tools);
    const foreign = { tools: [{ hosted: "google-genai" as const, definition: { googleSearch: {} } }] };
    expect(refusalOf(() => encode(foreign))).toEqual(["unsupported_feature", "tools[0]"]);
    expect(refusalOf(() => encode({ tools: [{ name: "f", inputSchema: {}, input: "text" }] }))).toEqual([
      "unsupported_feature",
      "tools[0]",
    ]);
  });

  it("46: a strict schema is closed, and what the vendor does not enforce is told and reported", () => {
    const inputSchema = {
      type: "object",
      properties: { n: { type: "integer", minimum: 1, description: "N" }, o: { oneOf: [{ type: "object" }] } },
    };
    const [tool] = bodyOf({ tools: [{ name: "f", inputSchema, strict: true }] })["tools"];
    expect(tool.input_schema).toEqual({
      type: "object",
      properties: {
        n: { type: "integer", description: "N\n\n{minimum: 1}" },
        o: { anyOf: [{ type: "object", additionalProperties: false }] },
      },
      additionalProperties: false,
    });
    expect(warned({ tools: [{ name: "f", inputSchema, strict: true }] })).toHaveLength(4);
    expect(bodyOf({ tools: [{ name: "f", inputSchema }] })["tools"][0]).toEqual({ name: "f", input_schema: inputSchema });
  });

  it("48: two tools of one name are refused", () => {
    const tool = { name: "f", input_schema: { type: "object" } };
    expect(refusalOf(() => decode({ tools: [tool, tool] }))).toEqual(["validation_failed", "tools[1].name"]);
  });

  it("44, 50: what the vendor's own tools did, and references to deferred tools, come back unchanged and in place", () => {
    const messages = [
      { role: "user", content: "hi" },
      {
        role: "assistant",
        content: [
          { type: "server_tool_use", id: "s", name: "tool_search_tool_regex", input: { pattern: "w" } },
          { type: "tool_search_tool_result", tool_use_id: "s", content: { type: "tool_search_tool_search_result", tool_references: [] } },
          { type: "text", text: "well" },
          { type: "tool_use", id: "t", name: "find", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "t",
            content: [
              { type: "tool_reference", tool_name: "w" },
              { type: "text", text: "x" },
            ],
          },
        ],
      },
    ];
    expect(bodyOf(decode({ messages }))["messages"]).toEqual(messages);
  });
});
