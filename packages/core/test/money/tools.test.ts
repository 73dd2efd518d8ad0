import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { TEST_OWNER_KEY } from "../../src/testing/index.js";
import { metered, TOKEN, type Setting } from "./harness.js";

const server = fileURLToPath(new URL("../mcp/servers/new-stdio.mjs", import.meta.url));

async function withTools(prices: object | undefined, budgets: Setting["budgets"] = []) {
  const story = { command: process.execPath, args: [server], ...(prices === undefined ? {} : { prices }) };
  const set = await metered({ budgets, options: { mcpServers: { story } } });
  let id = 0;
  const call = async (name: string, args: object = {}) => {
    const response = await set.gateway.fetch(
      new Request("http://localhost/mcp", {
        method: "POST",
        headers: {
          ...{
            authorization: `Bearer ${TEST_OWNER_KEY}`,
            "content-type": "application/json",
            accept: "application/json, text/event-stream",
          },
          ...{ "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": name },
        },
        body: JSON.stringify({
          ...{ jsonrpc: "2.0", id: ++id, method: "tools/call" },
          params: {
            ...{ name, arguments: args },
            _meta: {
              "io.modelcontextprotocol/protocolVersion": "2026-07-28",
              "io.modelcontextprotocol/clientInfo": { name: "test", version: "1" },
              "io.modelcontextprotocol/clientCapabilities": {},
            },
          },
        }),
      }),
    );
    const text = await response.text();
    const json = text.startsWith("{") ? text : (/^data: (.*)$/m.exec(text)?.[1] ?? "{}");
    return JSON.parse(json) as { result?: { isError?: boolean }; error?: { message: string; data?: { code?: string } } };
  };
  return { ...set, call };
}

describe("a server with prices", () => {
  it("charges each call exactly, and what its arguments and results have", async () => {
    const { call, settled } = await withTools({ perCall: "0.001", perInputToken: 0.000001, perOutputToken: "0.000002" });
    expect((await call("story__echo", { text: "x".repeat(400) })).result).toBeDefined();
    const [row] = await settled(1);
    const rest = row!.costNanoUsd! - TOKEN;
    expect(row).toMatchObject({ kind: "tool", server: "story", provider: "story", name: "story__echo" });
    // About 100 tokens there and as many back.
    expect(rest).toBeGreaterThan(100 * 1_000 + 100 * 2_000);
    expect(rest).toBeLessThan(200 * 1_000 + 300 * 2_000);
  });

  it("charges no error, unless it is told to", async () => {
    const lenient = await withTools({ perCall: "0.001" });
    expect((await lenient.call("story__fail")).result).toMatchObject({ isError: true });
    expect(await lenient.settled(1)).toMatchObject([{ costNanoUsd: 0 }]);
    const strict = await withTools({ perCall: "0.001", chargeErrors: true });
    await strict.call("story__fail");
    expect(await strict.settled(1)).toMatchObject([{ costNanoUsd: TOKEN }]);
  });

  it("without one nothing is charged, and the cost is not known", async () => {
    const { call, settled, windows } = await withTools(undefined, [{ amountUsd: "0" }]);
    expect((await call("story__echo", { text: "x" })).result).toBeDefined();
    expect(await settled(1)).toMatchObject([{ costNanoUsd: null, unpriced: 1 }]);
    expect(await windows()).toEqual([]);
  });

  it("is paid for by budgets, which refuse what they have not left", async () => {
    const { call, settled, windows } = await withTools({ perCall: "0.002" }, [{ amountUsd: "0.005" }]);
    for (const isLet of [true, true, false]) {
      const answer = await call("story__echo", { text: "x" });
      if (isLet) expect(answer.result).toBeDefined();
      else expect(JSON.stringify(answer)).toMatch(/budget_exceeded/);
      await settled(isLet ? 1 : 3);
    }
    expect(await windows()).toMatchObject([{ spentNanoUsd: 4 * TOKEN, reservedNanoUsd: 0, leftNanoUsd: TOKEN }]);
  });
});
