import { expect, it } from "vitest";
import { hosted, modern, post, proxyHarness } from "../proxy-harness.js";
import { oldHttpStory } from "../servers/http-story.js";
import { answers, everything } from "./asked-clients.js";
import { oldAsking } from "./asking-servers.js";
import { twoProcesses } from "./two-processes.js";

const capabilities = { ...everything, extensions: { "io.modelcontextprotocol/tasks": {} } };
interface Told {
  readonly taskId: string;
  readonly status: string;
  readonly inputRequests?: Record<string, object>;
  readonly result?: { content: { text: string }[] };
}
async function ask(url: URL, method: string, params: Record<string, unknown>): Promise<Told> {
  const { message, headers } = modern(method, { ...params, _meta: { "io.modelcontextprotocol/clientCapabilities": capabilities } });
  const answer = await post(url, message, { ...headers, "mcp-name": String(params["taskId"] ?? params["name"]) });
  expect(answer.json()["error"]).toBeUndefined();
  return answer.json()["result"] as Told;
}

it.each([0, 1])(
  "a task's questions are answered one by one, at its process or another (%i): those that are open stay, the others go",
  async (at) => {
    const { a, b } = await twoProcesses({ url: (await oldHttpStory({ make: () => oldAsking() })).url });
    const { url } = [a, b][at]!;
    const { taskId } = await ask(a.url, "tools/call", { name: "asking__twice", arguments: {} });
    const open = async () => Object.keys((await ask(url, "tasks/get", { taskId })).inputRequests ?? {});
    const answer = (key: string) => ask(url, "tasks/update", { taskId, inputResponses: { [key]: answers.form } });
    await answer((await open())[0]!);
    await expect.poll(async () => (await open()).length).toBe(2);
    const [second, third] = (await open()) as [string, string];
    await answer(second);
    // At once, whether its process heard of it or not.
    expect(await open()).toEqual([third]);
    // And still, once it did: an answer is not asked for again.
    await answer(second);
    expect(await ask(url, "tasks/get", { taskId })).toMatchObject({ status: "input_required" });
    await answer(third);
    await expect.poll(async () => (await ask(url, "tasks/get", { taskId })).status).toBe("completed");
    expect(a.harness.logged.filter(({ level }) => level === "warn")).toEqual([]);
  },
);

it("the wish of an older client that a call be a task is nothing that a server up to 2025-11-25 hears of", async () => {
  const harness = proxyHarness();
  const server = await oldHttpStory({ make: () => oldAsking() });
  await harness.proxy.connect("asking", { url: server.url });
  const { url } = await hosted(harness);
  const told = await ask(url, "tools/call", { name: "asking__form", arguments: {}, task: { ttl: 1_000 } });
  expect(told.status).toBe("input_required");
  const sent = server.seen.filter(({ body }) => body.includes('"tools/call"'));
  expect(sent.map(({ body }) => "task" in (JSON.parse(body) as { params: object }).params)).toEqual([false]);
});
