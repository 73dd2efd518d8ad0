import { describe, expect, it, vi } from "vitest";
import { unfold, type AnswerPart, type ProtocolId } from "../../../src/calls/index.js";
import { opaqueToken } from "../../../src/entities/index.js";
import { GatewayError } from "../../../src/errors/index.js";
import { ENVELOPE_MARK, hasTokens } from "../../../src/routing/opaque/index.js";
import {
  answerOf,
  caller,
  callOf,
  given,
  provider,
  reaches,
  result,
  said,
  sentBack,
  thought,
  tokens,
  toolCall,
  user,
  way,
  type Tokens,
} from "./harness.js";

const question = callOf(user("what is it?"));

/** One turn and the next, through a caller's dialect, to the same vendor. */
async function roundTrip(face: ProtocolId, to: ProtocolId, content: readonly AnswerPart[], o: { streamed?: boolean; set?: Tokens } = {}) {
  const set = o.set ?? tokens();
  const route = { carrier: caller(face), way: way(to) };
  const shown = await given(set, answerOf(...content), { call: question, ...route, ...o });
  const next = callOf(user("what is it?"), sentBack(shown, face), result("c1"));
  return { shown, ...(await reaches(set, next, route)), set };
}

describe("a vendor's token in a dialect that carries it", () => {
  it.each([true, false])("4, 5: comes back as it was, text and all, redacted or empty (streamed: %s)", async (streamed) => {
    const content = [
      thought("Hm.", "sig-1"),
      thought("", "sig-empty"),
      thought("", "data-1", { redacted: true }),
      said("It is:"),
      toolCall("c1"),
    ];
    const { shown, turns, warnings } = await roundTrip("anthropic-messages", "anthropic-messages", content, { streamed });
    expect(JSON.stringify(shown)).not.toMatch(/sig-1|sig-empty|data-1/);
    expect(turns).toEqual([content.map((part) => expect.objectContaining(part) as unknown)]);
    expect(warnings).toEqual([]);
  });

  it("1: comes back with the vendor's id of its item", async () => {
    const content = [thought("so", "enc", { itemId: "rs_1" }), toolCall("c1")];
    const { turns } = await roundTrip("anthropic-messages", "openai-responses", content);
    expect(turns[0]![0]).toMatchObject({ text: "so", opaque: "enc", itemId: "rs_1" });
  });

  it("is base64 from its first character to its last, so that dialects take it for a token", async () => {
    const { shown } = await roundTrip("google-genai", "google-genai", [toolCall("c1", "sig")]);
    const { opaque } = shown[0] as { opaque: string };
    expect(opaque).toMatch(/^[A-Za-z0-9+/]+={0,2}$/);
    expect(opaque.length % 4).toBe(0);
    expect(opaque.startsWith(ENVELOPE_MARK)).toBe(true);
    expect(btoa(atob(opaque))).toBe(opaque);
  });

  it("survives a client that keeps bytes and writes them URL-safe, without padding", async () => {
    const set = tokens();
    const route = { carrier: caller("google-genai"), way: way("google-genai") };
    for (let i = 0; i < 20; i++) {
      const [part] = await given(set, answerOf(toolCall("c1", `sig${"x".repeat(i)}`)), { call: question, ...route });
      const opaque = (part as { opaque: string }).opaque.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
      const { turns } = await reaches(set, callOf(user("what is it?"), { role: "assistant", content: [toolCall("c1", opaque)] }), route);
      expect(turns[0]![0]).toMatchObject({ opaque: `sig${"x".repeat(i)}` });
    }
  });

  it("never holds the key it was paid with, in any form", async () => {
    const set = tokens();
    const [part] = await given(set, answerOf(toolCall("c1", "sig")), {
      ...{ call: question, carrier: caller("google-genai"), way: way("google-genai", { to: provider("lab", "sk-canary-1234567890") }) },
    });
    expect(atob((part as { opaque: string }).opaque)).not.toContain("canary");
  });
});

describe("a vendor's token that its target did not make", () => {
  const bySomebody = async (
    set: Tokens,
    o: { to?: Parameters<typeof way>[1]; from?: Parameters<typeof way>[1]; protocols?: [ProtocolId, ProtocolId] },
  ) => {
    const [from, to] = o.protocols ?? ["anthropic-messages", "anthropic-messages"];
    const carrier = caller("anthropic-messages");
    const content = [thought("Hm.", "sig"), said("Because."), toolCall("c1")];
    const shown = await given(set, answerOf(...content), { call: question, carrier, way: way(from, o.from) });
    const next = callOf(user("what is it?"), sentBack(shown, "anthropic-messages"), result("c1"));
    return reaches(set, next, { carrier, way: way(to, o.to) });
  };

  it.each([
    ["14: another model", { to: { model: "m-2" } }, /m-1, which alone/],
    ["18: another provider of the same protocol", { to: { to: provider("other", "sk-one") } }, /from lab/],
    ["13: another protocol", { protocols: ["google-genai", "anthropic-messages"] as [ProtocolId, ProtocolId] }, /from lab/],
  ])("%s: is left out with a warning; the text beside it and the order stay", async (_case, o, why) => {
    const { turns, warnings } = await bySomebody(tokens(), o);
    expect(turns).toEqual([[thought("Hm."), said("Because."), expect.objectContaining({ id: "c1" })]]);
    expect(turns[0]![0]).not.toHaveProperty("opaque");
    expect(warnings).toEqual([expect.stringMatching(/^messages\[1\]\.content\[0\]: sealed reasoning was left out: /)]);
    expect(warnings[0]).toMatch(why);
  });

  it("12: goes to no model of another family, and to every one of its own", async () => {
    const set = tokens();
    const route = (model: string) => ({ carrier: caller("google-genai"), way: way("google-genai", { model }) });
    const shown = await given(set, answerOf(toolCall("c1", "sig")), { call: question, ...route("gemini-3.8-flash") });
    const next = callOf(user("what is it?"), sentBack(shown, "google-genai"), result("c1"));
    expect((await reaches(set, next, route("gemini-3.1-pro"))).turns[0]).toMatchObject([{ opaque: "sig" }]);
    const other = await reaches(set, next, route("gemini-4-argon"));
    expect(other.turns[0]![0]).not.toHaveProperty("opaque");
    expect(other.warnings).toEqual([expect.stringContaining("another family")]);
  });

  it("13: leaves no empty turn behind when there was nothing but sealed reasoning", async () => {
    const set = tokens();
    const carrier = caller("anthropic-messages");
    const shown = await given(set, answerOf(thought("", "data", { redacted: true })), {
      call: question,
      carrier,
      way: way("anthropic-messages"),
    });
    const next = callOf(user("what is it?"), sentBack(shown, "anthropic-messages"), user("go on"));
    const { messages } = await reaches(set, next, { carrier, way: way("google-genai") });
    expect(messages.map(({ role }) => role)).toEqual(["user", "user"]);
  });

  it("of nobody known is left out, never shown as text; in the vendor's own dialect it was relayed once and goes back", async () => {
    const set = tokens();
    const next = callOf(user("what is it?"), { role: "assistant", content: [thought("Hm.", "native-sig"), said("Because.")] });
    const own = await reaches(set, next, { carrier: caller("anthropic-messages"), way: way("anthropic-messages") });
    expect(own.turns[0]![0]).toMatchObject({ opaque: "native-sig" });
    for (const carrier of [caller("anthropic-messages"), caller(null)]) {
      const { turns, warnings } = await reaches(set, next, { carrier, way: way("google-genai") });
      expect(turns).toEqual([[thought("Hm."), said("Because.")]]);
      expect(warnings).toEqual([expect.stringContaining("not known where it is from")]);
    }
  });

  it.each([
    ["another gateway", () => tokens(), "default"],
    ["another project", null, "theirs"],
  ])("in an envelope of %s stays closed", async (_case, other, projectId) => {
    const set = tokens();
    const shown = await given(set, answerOf(thought("Hm.", "sig"), said("x")), {
      call: question,
      carrier: caller("anthropic-messages"),
      way: way("anthropic-messages"),
    });
    const next = callOf(user("what is it?"), sentBack(shown, "anthropic-messages"));
    const route = { carrier: caller("anthropic-messages", projectId), way: way("anthropic-messages") };
    const { turns, warnings } = await reaches(other === null ? set : other(), next, route);
    expect(JSON.stringify(turns)).not.toContain(ENVELOPE_MARK);
    expect(warnings).toEqual([expect.stringContaining("not sealed by this gateway")]);
  });

  it("in an envelope that was changed anywhere stays closed", async () => {
    const set = tokens();
    const route = { carrier: caller("google-genai"), way: way("google-genai") };
    const [part] = await given(set, answerOf(toolCall("c1", "sig")), { call: question, ...route });
    const { opaque } = part as { opaque: string };
    for (let at = 0; at < opaque.length - 3; at += 7) {
      const changed = opaque.slice(0, at) + (opaque[at] === "A" ? "B" : "A") + opaque.slice(at + 1);
      const { turns } = await reaches(set, callOf({ role: "assistant", content: [toolCall("c1", changed)] }), route);
      // Without its mark it is no envelope at all, and the vendor's affair.
      if (at >= ENVELOPE_MARK.length) expect(turns[0]![0]).not.toHaveProperty("opaque");
      expect(JSON.stringify(turns)).not.toContain('"sig"');
    }
  });

  it("15: once an earlier turn of the user was edited, all of a turn's reasoning goes together, and nothing else", async () => {
    const set = tokens();
    const route = { carrier: caller("anthropic-messages"), way: way("anthropic-messages") };
    const first = await given(set, answerOf(thought("one", "s1"), toolCall("c1")), { call: question, ...route });
    const second = await given(set, answerOf(thought("two", "s2"), said("done")), {
      ...{ call: callOf(user("what is it?"), sentBack(first, "anthropic-messages"), result("c1")), ...route },
    });
    const history = [sentBack(first, "anthropic-messages"), result("c1"), sentBack(second, "anthropic-messages"), user("and now?")];
    const same = await reaches(set, callOf(user("what is it?"), ...history), route);
    expect(same.turns.map((turn) => (turn[0] as { opaque?: string }).opaque)).toEqual(["s1", "s2"]);
    const edited = await reaches(set, callOf(user("what was it?"), ...history), route);
    expect(edited.turns).toEqual([
      [thought("one"), expect.objectContaining({ id: "c1" })],
      [thought("two"), said("done")],
    ]);
    expect(edited.warnings).toHaveLength(2);
    const altered = structuredClone(history) as typeof history;
    (altered[2] as unknown as { content: { text: string }[] }).content[0]!.text = "too";
    const run = await reaches(set, callOf(user("what is it?"), ...altered), route);
    expect(JSON.stringify(run.turns)).not.toContain('"opaque"');
  });

  it("19: reasoning whose answer was taken away goes with it", async () => {
    const set = tokens();
    const route = { carrier: caller("anthropic-messages"), way: way("openai-responses") };
    const shown = await given(set, answerOf(thought("Hm.", "enc", { itemId: "rs_1" }), said("Because.")), { call: question, ...route });
    const { turns, warnings } = await reaches(
      set,
      callOf(user("what is it?"), { role: "assistant", content: shown.slice(0, 1) }, user("x")),
      route,
    );
    expect(turns).toEqual([[thought("Hm.")]]);
    expect(warnings).toEqual([expect.stringContaining("what followed it")]);
  });
});

describe("keys", () => {
  it("3: the key of the newest token is the one to try first; with another the reasoning is left out, with a warning", async () => {
    const set = tokens();
    const to = provider("lab", "sk-one", "sk-two");
    const carrier = caller("anthropic-messages");
    const shown = await given(set, answerOf(thought("Hm.", "enc"), toolCall("c1")), {
      ...{ call: question, carrier, way: way("openai-responses", { to, key: 1 }) },
    });
    const next = callOf(user("what is it?"), sentBack(shown, "anthropic-messages"), result("c1"));
    const held = await set.opaque.hold(next, carrier, true);
    const { target } = way("openai-responses", { to });
    expect(set.opaque.scopeOf(held, target)).toBe(to.keys.all[1]);
    expect(set.opaque.scopeOf(held, way("openai-responses", { to: provider("lab", "sk-three") }).target)).toBeNull();
    expect(set.opaque.scopeOf(held, way("openai-responses", { to: provider("other", "sk-two") }).target)).toBeNull();
    const right = await reaches(set, next, { carrier, way: way("openai-responses", { to, key: 1 }) });
    expect(right.turns[0]![0]).toMatchObject({ opaque: "enc" });
    const wrong = await reaches(set, next, { carrier, way: way("openai-responses", { to, key: 0 }) });
    expect(wrong.turns[0]![0]).not.toHaveProperty("opaque");
    expect(wrong.warnings).toEqual([expect.stringContaining("another key")]);
  });
});

describe("the stash", () => {
  it.each([true, false])("7: C→R reasoning items stand in front of their calls again (streamed: %s)", async (streamed) => {
    const content = [thought("plan", "e1", { itemId: "rs_1" }), toolCall("c1"), thought("", "e2", { itemId: "rs_2" }), toolCall("c2")];
    const { shown, turns } = await roundTrip("openai-chat", "openai-responses", content, { streamed });
    // The dialect shows reasoning without its token, and nothing of reasoning that is only sealed.
    expect(shown).toMatchObject([{ text: "plan" }, { id: "c1" }, { id: "c2" }]);
    expect(JSON.stringify(shown)).not.toContain("opaque");
    expect(turns).toEqual([content.map((part) => expect.objectContaining(part) as unknown)]);
  });

  it("7: C→R a client that shows reasoning back does not double it", async () => {
    const set = tokens();
    const route = { carrier: caller("openai-chat"), way: way("openai-responses") };
    await given(set, answerOf(thought("plan", "e1"), said("Look:"), toolCall("c1")), { call: question, ...route });
    const next = callOf(user("what is it?"), {
      role: "assistant",
      content: [thought("plan"), said("Look:"), toolCall("c1", undefined, '{ "a" : 1 }')],
    });
    const { turns } = await reaches(set, next, route);
    expect(turns[0]).toMatchObject([{ text: "plan", opaque: "e1" }, { text: "Look:" }, { id: "c1" }]);
    expect(turns[0]).toHaveLength(3);
  });

  it("8: M→G the signature of a call survives a client that has no place for it", async () => {
    const { turns } = await roundTrip("anthropic-messages", "google-genai", [thought("plan"), toolCall("c1", "sig")]);
    expect(turns[0]).toMatchObject([{ text: "plan" }, { id: "c1", opaque: "sig" }]);
  });

  it("9: C→G of parallel calls only the first has its signature, and has it again", async () => {
    const { turns } = await roundTrip("openai-chat", "google-genai", [toolCall("c1", "sig"), toolCall("c2"), toolCall("c3")]);
    expect(turns[0]!.map((part) => (part as { opaque?: string }).opaque)).toEqual(["sig", undefined, undefined]);
  });

  it("10: C→G each step of a chain has its own, read in one go", async () => {
    const set = tokens();
    const route = { carrier: caller("openai-chat"), way: way("google-genai") };
    const history = [user("what is it?")];
    for (const [id, sig] of [
      ["c1", "s1"],
      ["c2", "s2"],
      ["c3", "s3"],
    ] as const) {
      const shown = await given(set, answerOf(toolCall(id, sig)), { call: callOf(...history), ...route });
      history.push(sentBack(shown, "openai-chat"), result(id));
    }
    let reads = 0;
    const find = set.store.find.bind(set.store);
    set.store.find = (...args) => (reads++, find(...args));
    const { turns } = await reaches(set, callOf(...history), route);
    expect(turns.map((turn) => (turn[0] as { opaque?: string }).opaque)).toEqual(["s1", "s2", "s3"]);
    expect(reads).toBe(1);
  });

  it.each([true, false])("11: a signature on an empty text is kept and not told as one (streamed: %s)", async (streamed) => {
    const content = [said("Look:"), toolCall("c1", "sig"), said("", "trailing")];
    const { shown, turns } = await roundTrip("openai-chat", "google-genai", content, { streamed });
    expect(shown).toHaveLength(2);
    expect(turns[0]).toMatchObject([{ text: "Look:" }, { id: "c1", opaque: "sig" }, { text: "", opaque: "trailing" }]);
  });

  it("gives a call with the same id but other arguments, or of another project, nothing", async () => {
    const set = tokens();
    const route = { carrier: caller("openai-chat"), way: way("google-genai") };
    await given(set, answerOf(toolCall("c1", "sig")), { call: question, ...route });
    const turn = (args: string) => callOf(user("what is it?"), { role: "assistant", content: [toolCall("c1", undefined, args)] });
    expect((await reaches(set, turn('{"a":1}'), route)).turns[0]![0]).toMatchObject({ opaque: "sig" });
    expect((await reaches(set, turn('{"a":2}'), route)).turns[0]![0]).not.toHaveProperty("opaque");
    const theirs = { ...route, carrier: caller("openai-chat", "theirs") };
    expect((await reaches(set, turn('{"a":1}'), theirs)).turns[0]![0]).not.toHaveProperty("opaque");
  });

  it("is written before the end of the answer is handed out", async () => {
    const set = tokens();
    let written = false;
    const commit = set.store.commit.bind(set.store);
    set.store.commit = async (...args) => {
      await new Promise((later) => setTimeout(later, 5));
      const results = await commit(...args);
      written = true;
      return results;
    };
    const answer = answerOf(toolCall("c1", "sig"));
    async function* source() {
      yield* unfold(answer);
    }
    for await (const event of set.opaque.sealEvents(source(), { call: question, carrier: caller("openai-chat"), way: way("google-genai") }))
      if (event.type === "finish") expect(written).toBe(true);
    expect(written).toBe(true);
  });

  it("holds nothing that can be read, and nothing for a dialect that carries it all", async () => {
    const set = tokens();
    const all = async () =>
      (await set.store.find(opaqueToken, { orderBy: "atMs", limit: 100 }, { system: "a test" }, { deadlineMs: set.clock.now() + 1000 }))
        .rows;
    await given(set, answerOf(thought("plan", "e1"), toolCall("c1", "sig")), {
      call: question,
      carrier: caller("google-genai"),
      way: way("google-genai"),
    });
    await given(set, answerOf(thought("plan"), toolCall("c1")), {
      call: question,
      carrier: caller("openai-chat"),
      way: way("google-genai"),
    });
    expect(await all()).toEqual([]);
    await given(set, answerOf(thought("canary", "e1-canary"), toolCall("c1")), {
      call: question,
      carrier: caller("openai-chat"),
      way: way("google-genai"),
    });
    const rows = await all();
    expect(rows).toHaveLength(1);
    expect(atob(rows[0]!.sealed) + JSON.stringify(rows)).not.toContain("canary");
  });

  it("forgets after a day, and prunes what it forgot", async () => {
    const set = tokens();
    const content = [toolCall("c1", "sig")];
    await roundTrip("openai-chat", "google-genai", content, { set });
    await set.clock.advance(86_400_001);
    const next = callOf(user("what is it?"), { role: "assistant", content: [toolCall("c1")] });
    const { turns } = await reaches(set, next, { carrier: caller("openai-chat"), way: way("google-genai") });
    expect(turns[0]![0]).not.toHaveProperty("opaque");
    await given(set, answerOf(toolCall("c9", "sig")), { call: question, carrier: caller("openai-chat"), way: way("google-genai") });
    await set.clock.advance(1);
    const left = await set.store.find(
      opaqueToken,
      { orderBy: "atMs", limit: 100 },
      { system: "a test" },
      { deadlineMs: set.clock.now() + 1000 },
    );
    expect(left.rows).toHaveLength(1);
  });

  it("puts nothing beside what came in its own envelope", async () => {
    const set = tokens();
    const content = [thought("hm", "sig"), toolCall("c1")];
    const to = way("anthropic-messages");
    // The same calls, given to clients of two dialects: one keeps the token here, the other carries it.
    await given(set, answerOf(...content), { call: question, carrier: caller("openai-chat"), way: to });
    const carried = await given(set, answerOf(...content), { call: question, carrier: caller("anthropic-messages"), way: to });
    const next = callOf(...question.messages, sentBack(carried, "anthropic-messages"), result("c1"));
    const { turns } = await reaches(set, next, { carrier: caller("anthropic-messages"), way: to });
    expect(turns[0]!.map(({ type }) => type)).toEqual(["reasoning", "tool-call"]);
  });

  it("prunes all that is old, however much came together", async () => {
    const set = tokens();
    const to = { call: question, carrier: caller("openai-chat"), way: way("google-genai") };
    const many = Array.from({ length: 2_001 }, (_, i) => toolCall(`c${i}`, "sig"));
    await given(set, answerOf(...many), to);
    await set.clock.advance(86_400_001);
    await given(set, answerOf(toolCall("new", "sig")), to);
    const all = { orderBy: "atMs", limit: 9 } as const;
    await vi.waitFor(async () => {
      const left = await set.store.find(opaqueToken, all, { system: "a test" }, { deadlineMs: set.clock.now() + 1_000 });
      expect(left.rows).toHaveLength(1);
    });
  });

  it("is not asked for a target that has no tokens", async () => {
    const set = tokens();
    set.store.find = () => Promise.reject(new Error("It was asked."));
    const next = callOf(user("what is it?"), { role: "assistant", content: [toolCall("c1")] });
    await set.opaque.hold(next, caller("openai-chat"), hasTokens(way("openai-chat")));
    expect(set.errors).toEqual([]);
    await set.opaque.hold(next, caller("openai-chat"), hasTokens(way("google-genai")));
    expect(set.errors).toHaveLength(1);
  });

  it("that fails costs the token, not the call", async () => {
    const set = tokens();
    const away = () => Promise.reject(new GatewayError("store_unavailable", "away"));
    set.store.commit = away;
    set.store.find = away;
    const { shown, turns } = await roundTrip("openai-chat", "google-genai", [toolCall("c1", "sig")], { set });
    expect([shown, turns]).toMatchObject([[{ id: "c1" }], [[{ id: "c1" }]]]);
    expect(set.errors).toHaveLength(2);
  });
});
