import { describe, expect, it } from "vitest";
import type { McpServerInput } from "../../../src/mcp/index.js";
import { hosted, proxyHarness } from "../proxy-harness.js";
import { oldHttpStory } from "../servers/http-story.js";
import { answers, oldClient } from "./asked-clients.js";
import { oldAsking, type OldOptions } from "./asking-servers.js";
import { parked, rawCall } from "./raw-calls.js";

/** Where nothing says which call a question belongs to. */
const shared: readonly [string, (o?: OldOptions) => Promise<McpServerInput>][] = [
  ["on a wire", (o) => Promise.resolve({ server: () => oldAsking(o) })],
  ["on a standing stream", async (o) => ({ url: (await oldHttpStory({ make: () => oldAsking({ ...o, unrelated: true }) })).url })],
];

describe.each(shared)("a question %s that names no call", (_where, server) => {
  it("is put to nobody while calls of several callers are under way, and to the only one again after that (T16)", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("asking", await server());
    const { url } = await hosted(harness);
    const ada = await parked(url, { bearer: "ada" });
    const eve = await rawCall(url, { bearer: "eve" });
    expect(eve.result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("several callers") as string }] });
    const done = await rawCall(url, { bearer: "ada", state: ada.state, responses: { [ada.key]: answers.form } });
    expect(done.result).toMatchObject({ resultType: "complete", content: [{ text: JSON.stringify(answers.form) }] });
    await parked(url, { bearer: "eve" });
  });

  it("is put to whose it is as soon as the calls of the others were answered, in both eras (T16)", async () => {
    const begun: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const harness = proxyHarness();
    await harness.proxy.connect("asking", await server({ begun, held }));
    const { url } = await hosted(harness);
    const old = await oldClient(url, { bearer: "bob" });
    const ada = rawCall(url, { bearer: "ada", name: "asking__hold" });
    await expect.poll(() => begun).toEqual(["hold"]);
    const eve = rawCall(url, { bearer: "eve" });
    await expect.poll(() => begun).toEqual(["hold", "form"]);
    release();
    expect((await ada).result?.resultType).toBe("complete");
    const { result } = await eve;
    expect(result?.resultType).toBe("input_required");
    const responses = { [Object.keys(result!.inputRequests!)[0]!]: answers.form };
    expect((await rawCall(url, { bearer: "eve", state: result!.requestState!, responses })).result?.resultType).toBe("complete");
    // Who has a session is asked in the same way.
    const again = rawCall(url, { bearer: "ada", name: "asking__hold" });
    expect(JSON.parse((await old.call("asking__form")).content[0]!.text)).toEqual(answers.form);
    expect((await again).result?.resultType).toBe("complete");
  });

  it("is not put to another while a call that was cancelled may have been meant (T16)", async () => {
    const harness = proxyHarness();
    await harness.proxy.connect("asking", await server());
    const { url } = await hosted(harness);
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const ada = await oldClient(url, { bearer: "ada", answer: () => (asked(), new Promise(() => undefined)) });
    const abort = new AbortController();
    const left = ada.call("asking__form", {}, { signal: abort.signal });
    await isAsked;
    abort.abort();
    await expect(left).rejects.toThrow();
    await expect.poll(() => harness.ended.length).toBe(1);
    const eve = await rawCall(url, { bearer: "eve" });
    expect(eve.result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining("several callers") as string }] });
  });
});

it("a question in no call, or in one of a program, is answered truthfully and at once", async () => {
  const harness = proxyHarness();
  const server = oldAsking();
  await harness.proxy.connect("asking", { server: () => server });
  await expect(server.server.listRoots()).rejects.toThrow(/No call is under way/);
  await expect(server.server.ping()).resolves.toEqual({});
  const text = async (tool: string) => ((await harness.proxy.call(`asking__${tool}`)).raw["content"] as { text: string }[])[0]!.text;
  expect(await text("form")).toBe('{"action":"cancel"}');
  expect(await text("url")).toBe('{"action":"cancel"}');
  expect(await text("sampling")).toMatch(/refused: .*cannot be asked/);
  expect(await text("roots")).toMatch(/refused: .*cannot be asked/);
});

it("a client with a session is asked only what it declared; the server hears of it, and goes on", async () => {
  const harness = proxyHarness();
  await harness.proxy.connect("asking", { server: () => oldAsking() });
  const client = await oldClient((await hosted(harness)).url, { capabilities: { elicitation: { form: {} } } });
  expect(JSON.parse((await client.call("asking__form")).content[0]!.text)).toEqual(answers.form);
  for (const tool of ["url", "sampling", "roots"]) {
    const refused = await client.call(`asking__${tool}`);
    expect([refused.isError, refused.content[0]!.text]).toEqual([true, expect.stringMatching(/declared no capability/)]);
  }
  expect(client.got).toHaveLength(1);
});

it("a server that takes its question back takes it from the client as well, and goes on without it", async () => {
  const harness = proxyHarness();
  await harness.proxy.connect("asking", { server: () => oldAsking() });
  const { url } = await hosted(harness);
  const withdrawn: string[] = [];
  const client = await oldClient(url, { answer: () => new Promise(() => undefined), onWithdrawn: () => void withdrawn.push("form") });
  expect((await client.call("asking__impatient")).content[0]!.text).toMatch(/timed out/);
  await expect.poll(() => withdrawn).toEqual(["form"]);
  // One that was away meanwhile is told what came of it.
  const { state, key } = await parked(url, { name: "asking__impatient" });
  const told = await rawCall(url, { name: "asking__impatient", state, responses: { [key]: answers.form } });
  expect(told.result?.resultType).toBe("complete");
});

it("a client that cancels its call cancels it at the server, in the middle of a question", async () => {
  const harness = proxyHarness();
  const cancelled: string[] = [];
  await harness.proxy.connect("asking", { server: () => oldAsking({ cancelled }) });
  const client = await oldClient((await hosted(harness)).url, { answer: () => new Promise(() => undefined) });
  const abort = new AbortController();
  const left = client.call("asking__form", {}, { signal: abort.signal });
  await expect.poll(() => client.got.length).toBe(1);
  abort.abort();
  await expect(left).rejects.toThrow();
  await expect.poll(() => cancelled).toEqual(["form"]);
});

it("a person's errand to a page is told to be done to the client that was sent there", async () => {
  const harness = proxyHarness();
  const server = oldAsking();
  await harness.proxy.connect("asking", { server: () => server });
  const client = await oldClient((await hosted(harness)).url);
  const done = new Promise<string>((resolve) =>
    client.onCompleted((elicitationId) => {
      resolve(elicitationId);
    }),
  );
  await client.call("asking__url");
  await server.server.notification({ method: "notifications/elicitation/complete", params: { elicitationId: "errand-1" } });
  expect(await done).toBe("errand-1");
});

it("an answer that is no object goes to no server", async () => {
  const harness = proxyHarness();
  await harness.proxy.connect("asking", { server: () => oldAsking() });
  const { url } = await hosted(harness);
  const { state, key } = await parked(url);
  const refused = await rawCall(url, { state, responses: { [key]: 5 } });
  expect(refused.error?.code).toBe(-32602);
  expect((await rawCall(url, { state, responses: { [key]: answers.form } })).result?.resultType).toBe("complete");
});
