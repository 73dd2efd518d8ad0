import { describe, expect, it } from "vitest";
import type { AnswerPart, ProtocolId } from "../../src/calls/index.js";
import type { Quirks } from "../../src/wire/shared/codec.js";
import { answerOf } from "./answer-features.js";
import { answered, codecs, eventsOf, framesOf, protocols, shown, streamed, translate } from "./wires.js";
import { joined } from "../wire/chunks.js";

// Cases of group A of the list of translations that cross protocols. Where a token goes is routing's: `test/routing/tokens`.

const user = { role: "user", content: "hi" };
const fromChat = (target: ProtocolId, body: object, quirks: Quirks = {}) =>
  translate({ face: "openai-chat", target }, { model: "m", messages: [user], ...body }, quirks);
const text = (said: string): AnswerPart => ({ type: "text", text: said });

describe("reasoning in an answer", () => {
  it("7: R→M and R→C: a reasoning item is thinking, and reasoning_content", () => {
    const response = {
      id: "resp_1",
      object: "response",
      created_at: 1,
      model: "m",
      status: "completed",
      output: [
        { type: "reasoning", id: "rs_1", summary: [{ type: "summary_text", text: "so" }], encrypted_content: "c2VhbGVk" },
        {
          type: "message",
          id: "msg_1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "4", annotations: [] }],
        },
      ],
    };
    const answer = codecs["openai-responses"].decodeAnswer(new TextEncoder().encode(JSON.stringify(response)));
    expect(answer.candidates[0]?.content[0]).toMatchObject({ type: "reasoning", text: "so", opaque: "c2VhbGVk", itemId: "rs_1" });
    expect(shown("anthropic-messages", answer)).toMatchObject({
      content: [
        { type: "thinking", thinking: "so", signature: "c2VhbGVk" },
        { type: "text", text: "4" },
      ],
    });
    expect(shown("openai-chat", answer)).toMatchObject({ choices: [{ message: { content: "4", reasoning_content: "so" } }] });
    expect(shown("google-genai", answer)).toMatchObject({
      candidates: [{ content: { parts: [{ text: "so", thought: true }, { text: "4" }] } }],
    });
  });

  it("6: a signature is told to a client of M once, before its block ends", async () => {
    const frames = await joined(
      framesOf("anthropic-messages", eventsOf(answerOf([{ type: "reasoning", text: "so", opaque: "c2VhbGVk" }, text("a")]))),
    );
    expect(frames.match(/signature_delta/g)).toHaveLength(1);
    expect(frames.indexOf("signature_delta")).toBeLessThan(frames.indexOf("content_block_stop"));
  });

  it.each(protocols)("23: to %s reasoning is never content, nor content reasoning, whole or as a stream", async (face) => {
    const answer = answerOf([{ type: "reasoning", text: "THOUGHT" }, text("SAID"), { type: "reasoning", text: "AGAIN" }, text("MORE")]);
    for (const back of [answered(face, answer), await streamed(face, eventsOf(answer))]) {
      const of = (type: string) =>
        (back.candidates[0]?.content ?? []).map((part) => (part.type === type && "text" in part ? part.text : "")).join("");
      expect(of("text")).toBe("SAIDMORE");
      expect(of("reasoning")).toBe("THOUGHTAGAIN");
    }
  });

  it.each(protocols)("24: to %s an answer of reasoning alone is an answer that ended", async (face) => {
    const answer = answerOf([{ type: "reasoning", text: "hm" }]);
    for (const back of [answered(face, answer), await streamed(face, eventsOf(answer))]) {
      expect(back.candidates[0]?.finishReason).toBe("stop");
      expect(back.candidates[0]?.content.filter(({ type }) => type === "text")).toEqual([]);
    }
  });
});

describe("reasoning in a conversation", () => {
  const history = (reasoning: object) => ({ messages: [user, { role: "assistant", content: "4", ...reasoning }, user] });

  it.each(protocols)("13: to %s reasoning of another vendor without a token leaves the text and the order of turns", (target) => {
    const { call } = fromChat(target, history({ reasoning_content: "so" }));
    const said = call.messages.map((message) => [
      message.role,
      message.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join(""),
    ]);
    expect(said).toEqual([
      ["user", "hi"],
      ["assistant", "4"],
      ["user", "hi"],
    ]);
  });

  it.each(protocols)("13: to %s a turn of foreign reasoning alone is no turn", (target) => {
    const messages = [user, { role: "assistant", content: [{ type: "thinking", thinking: "so", signature: "" }] }, user];
    const { body, call } = translate({ face: "anthropic-messages", target }, { model: "m", max_tokens: 1000, messages });
    const answers = call.messages.filter(({ role }) => role === "assistant");
    expect(answers.every(({ content }) => content.length > 0)).toBe(true);
    expect(JSON.stringify(body)).not.toMatch(/"content":(?:null|""|\[\])|"parts":\[\]/);
  });

  it("12: C→G: calls of another vendor carry the word that Google takes for a signature", () => {
    const messages = [
      user,
      {
        role: "assistant",
        tool_calls: [1, 2].map((id) => ({ id: String(id), type: "function", function: { name: "f", arguments: "{}" } })),
      },
      ...[1, 2].map((id) => ({ role: "tool", tool_call_id: String(id), content: "ok" })),
    ];
    const { body } = fromChat("google-genai", { messages, tools: [{ type: "function", function: { name: "f" } }] });
    // One for the first call of the turn, as Google itself does it.
    expect(JSON.stringify(body).match(/"thoughtSignature"/g)).toHaveLength(1);
  });

  it("16: C→DeepSeek: a turn of tools has reasoning_content, even empty", () => {
    const quirks: Quirks = { reasoningOnToolTurns: true, reasoningField: "reasoning_content" };
    const messages = [
      user,
      { role: "assistant", content: null, tool_calls: [{ id: "1", type: "function", function: { name: "f", arguments: "{}" } }] },
      { role: "tool", tool_call_id: "1", content: "ok" },
    ];
    expect(fromChat("openai-chat", { messages }, quirks).body["messages"]).toMatchObject([{}, { reasoning_content: "" }, {}]);
    const claude = translate(
      { face: "anthropic-messages", target: "openai-chat" },
      {
        model: "m",
        max_tokens: 9,
        messages: [
          user,
          {
            role: "assistant",
            content: [
              { type: "thinking", thinking: "so", signature: "" },
              { type: "tool_use", id: "1", name: "f", input: {} },
            ],
          },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "1", content: "ok" }] },
        ],
      },
      quirks,
    );
    expect(claude.body["messages"]).toMatchObject([{}, { reasoning_content: "so" }, {}]);
  });

  it("17: C→OpenRouter: reasoning_details go back verbatim and in order", () => {
    const details = [
      { type: "reasoning.encrypted", data: "d", id: "r", format: "openai-responses-v1", index: 1 },
      { type: "reasoning.text", text: "t", signature: null, index: 0 },
    ];
    const { body } = fromChat("openai-chat", history({ reasoning: "t", reasoning_details: details }), { reasoningRequest: "reasoning" });
    expect(body["messages"]).toMatchObject([{}, { reasoning: "t", reasoning_details: details }, {}]);
  });
});

describe("how much to think", () => {
  const grid = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

  it.each(grid)("20: C→ every protocol: the effort %s arrives, or its nearest, with a word about it", (effort) => {
    for (const target of protocols) {
      const { call, warnings } = fromChat(target, { reasoning_effort: effort, max_completion_tokens: 100_000 });
      const sent = call.reasoning?.effort ?? (call.reasoning?.budgetTokens === 0 ? "none" : undefined);
      if (sent !== effort) expect(warnings.map(({ field }) => field)).toContain("reasoning.effort");
      expect(sent).toBeDefined();
    }
  });

  it("20: nothing said is nothing sent; an empty word is refused; a word that a vendor is known not to know is refused", () => {
    for (const target of protocols) {
      expect(fromChat(target, {}).call.reasoning).toBeUndefined();
      expect(() => fromChat(target, { reasoning_effort: "" })).toThrow(expect.objectContaining({ code: "validation_failed" }));
      expect(() => fromChat(target, { reasoning_effort: "invalid" }, { efforts: ["low", "high"] })).toThrow(
        expect.objectContaining({ code: "unsupported_feature", details: { param: "reasoning.effort" } }),
      );
      expect(fromChat(target, { reasoning_effort: "medium" }, { efforts: ["low", "high"] }).warnings.map(({ field }) => field)).toContain(
        "reasoning.effort",
      );
    }
  });

  it("21: G→M: a budget is at least 1024 and less than the limit of the answer", () => {
    for (const [thinkingBudget, maxOutputTokens] of [
      [100, 5000],
      [8000, 4000],
      [8000, 100_000],
    ] as const) {
      const { body } = translate(
        { face: "google-genai", target: "anthropic-messages" },
        {
          contents: [{ role: "user", parts: [{ text: "hi" }] }],
          generationConfig: { maxOutputTokens, thinkingConfig: { thinkingBudget } },
        },
      );
      const { budget_tokens: budget } = body["thinking"] as { budget_tokens: number };
      expect(budget).toBeGreaterThanOrEqual(1024);
      expect(budget).toBeLessThan(body["max_tokens"] as number);
    }
  });

  it("22: an effort is adaptive thinking, a budget is thinking by it, which gives way to a tool that has to be called", () => {
    expect(fromChat("anthropic-messages", { reasoning_effort: "high" }).body).toMatchObject({
      thinking: { type: "adaptive" },
      output_config: { effort: "high" },
    });
    const byBudget = (mode: string) =>
      translate(
        { face: "google-genai", target: "anthropic-messages" },
        {
          contents: [{ role: "user", parts: [{ text: "hi" }] }],
          generationConfig: { thinkingConfig: { thinkingBudget: 2000 } },
          tools: [{ functionDeclarations: [{ name: "f" }] }],
          toolConfig: { functionCallingConfig: { mode } },
        },
      );
    expect(byBudget("AUTO").body["thinking"]).toMatchObject({ type: "enabled", budget_tokens: 2000 });
    expect(byBudget("ANY").body).not.toHaveProperty("thinking");
    expect(byBudget("ANY").warnings.map(({ field }) => field)).toContain("reasoning.budgetTokens");
  });
});
