import { describe, expect, it } from "vitest";
import { fold, type ModelCall } from "../calls/index.js";
import { script } from "./script.js";

const call: ModelCall = { model: "test/script", messages: [{ role: "user", content: [{ type: "text", text: "go" }] }] };
const o = { model: "script", signal: new AbortController().signal };

describe("script", () => {
  it("answers its calls with its turns, in order, and remembers what it was asked", async () => {
    const model = script({ tool: "x", args: { a: 1 } }, "all done", { text: "both", calls: [{ tool: "y", id: "mine" }] });
    expect((await fold(model(call, o))).candidates[0]).toMatchObject({
      finishReason: "tool-calls",
      content: [{ type: "tool-call", id: "call_1_0", name: "x", arguments: '{"a":1}' }],
    });
    expect((await fold(model(call, o))).candidates[0]).toMatchObject({
      finishReason: "stop",
      content: [{ type: "text", text: "all done" }],
    });
    expect((await fold(model(call, o))).candidates[0]?.content).toMatchObject([{ text: "both" }, { id: "mine", arguments: "{}" }]);
    expect(model.calls).toEqual([call, call, call]);
    expect(model.left).toBe(0);
  });

  it("fails a call that it has no turn for, and answers with an error when told so", async () => {
    const model = script({ error: "upstream_unavailable" });
    await expect(fold(model(call, o))).rejects.toMatchObject({ code: "upstream_unavailable" });
    await expect(fold(model(call, o))).rejects.toMatchObject({
      code: "misconfigured",
      message: expect.stringContaining("1 turns") as string,
    });
  });
});
