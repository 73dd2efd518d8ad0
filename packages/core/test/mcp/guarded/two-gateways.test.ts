import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { expect, it, onTestFinished } from "vitest";
import { crypto } from "../../../src/platform/node.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../../src/testing/index.js";
import { modern } from "../proxy-harness.js";
import { everything } from "../questions/asked-clients.js";
import { ANSWERED, ASKED, answers, questions, script, upstreams, words, type Action } from "./word-servers.js";

interface Told {
  readonly text: string;
  readonly result?: { resultType: string; requestState: string; status: string; taskId: string; inputRequests?: Record<string, object> };
  readonly error?: { data: { code: string } };
}

/** Two gateways on one SQLite file, before one server that asks. */
async function twoGateways(action: Action) {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-guarded-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const told = script();
  const input = await upstreams["a server up to 2025-11-25"]!(told);
  const secret = crypto.random(32);
  const open = async () => {
    const gateway = await createTestGateway({
      ...{
        storage: sqlite(join(folder, "sallyport.db")),
        secret,
        guardrails: words(action),
        mcpServers: { asking: input as { url: string } },
      },
    });
    onTestFinished(() => gateway.close({ graceMs: 0 }));
    return async (method: string, params: Record<string, unknown>, more: object = {}): Promise<Told> => {
      const meta = { "io.modelcontextprotocol/clientCapabilities": { ...everything, ...more } };
      const { message, headers } = modern(method, { ...params, _meta: meta });
      const name = typeof params["taskId"] === "string" ? { "mcp-name": params["taskId"] } : {};
      const own = { authorization: `Bearer ${TEST_OWNER_KEY}`, "content-type": "application/json", accept: "application/json" };
      const request = { method: "POST", headers: { ...headers, ...name, ...own }, body: JSON.stringify(message) };
      const text = await (await gateway.fetch(new Request("http://localhost/mcp", request))).text();
      return { ...(JSON.parse(text) as Omit<Told, "text">), text };
    };
  };
  return { told, a: await open(), b: await open() };
}
const called = { name: "asking__ask", arguments: {} };
const tasks = { extensions: { "io.modelcontextprotocol/tasks": {} } };
const [, answer] = answers["the field of a form"]!;

it("a call that one process keeps is asked and answered through guardrails at the other", async () => {
  const { told, a, b } = await twoGateways("mask");
  told.question = questions["the message of a form"]!;
  told.then = questions["a model's prompt"]!;
  const first = await a("tools/call", called);
  const next = ({ result }: Told, given: object) => ({
    ...{ ...called, requestState: result!.requestState },
    inputResponses: { [Object.keys(result!.inputRequests!)[0]!]: given },
  });
  const second = await b("tools/call", next(first, answer));
  for (const { text } of [first, second]) expect([text.includes(ASKED), text.includes("a [removed]")]).toEqual([false, true]);
  const done = await b("tools/call", next(second, answers["what a model said"]![1]));
  expect(done.result?.resultType).toBe("complete");
  expect(JSON.stringify(told.seen)).toMatch(/a \[removed\].*a \[removed\]/);
  expect(JSON.stringify(told.seen)).not.toContain(ANSWERED);
});

it("a task that one process keeps says at the other what is left of it, and takes no answer that is blocked there", async () => {
  const { told, a, b } = await twoGateways("block");
  told.question = { method: "roots/list" };
  told.then = questions["a model's prompt"]!;
  const { taskId } = (await a("tools/call", called, tasks)).result!;
  const asked = (await b("tasks/get", { taskId }, tasks)).result!;
  const key = Object.keys(asked.inputRequests!)[0]!;
  const [, folder] = answers["the place of a folder"]!;
  const refused = await b("tasks/update", { taskId, inputResponses: { [key]: folder } }, tasks);
  expect([refused.error?.data.code, told.seen]).toEqual(["content_blocked", []]);
  await b("tasks/update", { taskId, inputResponses: { [key]: { roots: [] } } }, tasks);
  let last: Told | null = null;
  const status = async () => (last = await b("tasks/get", { taskId }, tasks)).result?.status;
  await expect.poll(status, { timeout: 30_000, interval: 50 }).toBe("failed");
  const { text } = last as unknown as Told;
  expect([text.includes("content_blocked"), text.includes(ASKED), told.seen]).toEqual([true, false, [{ roots: [] }]]);
});
