import { expect, it } from "vitest";
import { saying, served } from "../../safety/safety-harness.js";
import { script, upstreams } from "../guarded/word-servers.js";
import { modern, post } from "../proxy-harness.js";

// A call that waits for its client, or goes on as a task, is a call under way: it ends with its key.

const tasks = { "io.modelcontextprotocol/tasks": {} };

it.each([
  ["waits for an answer", { roots: {} }, "input_required"],
  ["is a task", { roots: {}, extensions: tasks }, "task"],
] as const)("a call that %s is cancelled at its server when its key is revoked, and nobody else's", async (_what, capabilities, type) => {
  const told = script();
  const { gateway, base } = await served({ model: saying({ text: "x" }) });
  await gateway.mcp.connect("asking", await upstreams["a server up to 2025-11-25"]!(told));
  const begin = async () => {
    const { id, key } = await gateway.keys.create({ name: "k", scopes: ["mcp:*"] });
    const _meta = { "io.modelcontextprotocol/clientCapabilities": capabilities };
    const { message, headers } = modern("tools/call", { name: "asking__ask", arguments: {}, _meta });
    const { json } = await post(new URL(`${base}/mcp`), message, { ...headers, authorization: `Bearer ${key}` });
    expect(json()["result"]).toMatchObject({ resultType: type });
    return id;
  };
  const [first] = [await begin(), await begin()];
  await gateway.keys.revoke(first);
  await expect.poll(() => told.cancelled, { timeout: 30_000 }).toEqual(["ask"]);
  // What was swapped then is over for the other one too, if it were to end.
  await gateway.keys.create({ name: "other" });
  expect(told.cancelled).toEqual(["ask"]);
});
