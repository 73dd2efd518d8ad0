import { describe, expect, it } from "vitest";
import { faces, saying, SECRET, served } from "./safety-harness.js";

const block = { kind: "words" as const, settings: { words: ["tangerine"] }, severity: "high" as const };

describe.each(Object.keys(faces))("%s, by the vendor's SDK", (face) => {
  it("is told in its own error that what it asks is blocked, before anybody else hears it", async () => {
    const model = saying({ text: "fine" });
    const to = await served({ model, guardrails: { fruit: { ...block, stages: ["input"] } } });
    const { whole, streamed } = faces[face]!(to, "one TANGERINE please");
    await expect(whole()).rejects.toMatchObject({ status: 403 });
    await expect(whole()).rejects.toThrow(/fruit\W+ does not let this input pass/);
    await expect(streamed(() => undefined)).rejects.toThrow(/fruit/);
    expect(model.given).toEqual([]);
    const rows = await to.detections();
    expect(rows[0]).toMatchObject({
      guardrail: "fruit",
      stage: "input",
      type: "custom",
      severity: "high",
      action: "block",
      pattern: "tangerine",
      model: "test/script",
    });
  });

  it("never sees what its answer may not say, nor a part of it, whole or streamed", async () => {
    const to = await served({
      model: saying({ text: "I like a tangerine now", piece: 2 }),
      guardrails: { fruit: { ...block, stages: ["output"] } },
    });
    const { whole, streamed } = faces[face]!(to, "what do you like?");
    await expect(whole()).rejects.toMatchObject({ status: 403 });
    let text = "";
    await expect(streamed((part) => (text += part))).rejects.toThrow(/fruit/);
    expect("I like a ".startsWith(text)).toBe(true);
  });

  it.each([1, 7, 1_000])("gets its answer masked and otherwise as it was, in pieces of %s characters", async (piece) => {
    const model = saying({ text: `Use ${SECRET} or mail me@example.com. Bye`, piece });
    const to = await served({
      model,
      guardrails: { keys: { kind: "secrets", action: "mask" }, people: { kind: "pii", action: "mask", settings: { types: ["email"] } } },
    });
    const { whole, streamed } = faces[face]!(to, `my key is ${SECRET}, what is yours?`);
    const expected = "Use [github_token] or mail [email]. Bye";
    expect(await whole()).toBe(expected);
    let text = "";
    await streamed((part) => {
      text += part;
      expect(text).not.toContain(SECRET.slice(0, 10));
    });
    expect(text).toBe(expected);
    // The model was not told either.
    for (const call of model.given) {
      expect(JSON.stringify(call)).toContain("my key is [github_token], what is yours?");
      expect(JSON.stringify(call)).not.toContain(SECRET);
    }
    expect(JSON.stringify(await to.detections())).not.toContain(SECRET);
  });

  it("is let through with a warning in its headers, and not streamed any later", async () => {
    const to = await served({
      model: saying({ text: "one tangerine" }),
      guardrails: { fruit: { ...block, action: "warn" }, quiet: { ...block, action: "log" } },
    });
    const { whole } = faces[face]!(to, "a tangerine?");
    expect(await whole()).toBe("one tangerine");
    const rows = await to.detections(4);
    expect(rows.map(({ guardrail, stage, action }) => `${guardrail} ${stage} ${action}`).sort()).toEqual([
      "fruit input warn",
      "fruit output warn",
      "quiet input log",
      "quiet output log",
    ]);
  });
});

describe("headers of an answer", () => {
  it("name what warned, and how serious the worst is", async () => {
    const to = await served({
      model: saying({ text: "a tangerine" }),
      guardrails: {
        mild: { kind: "words", settings: { words: ["lemon"] }, action: "warn", severity: "low" },
        fruit: { ...block, action: "warn", stages: ["output"] },
      },
    });
    const answer = await to.post("/v1/chat/completions", { model: "test/script", messages: [{ role: "user", content: "lemon" }] });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-safety-warning")).toBe("mild, fruit");
    expect(answer.headers.get("x-safety-severity")).toBe("high");
    expect(answer.headers.get("x-sallyport-warnings")).toMatch(/guardrails: mild, fruit/);
  });
});
