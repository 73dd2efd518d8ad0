import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/calls/index.js";
import { runRoutes } from "../../src/routes/index.js";
import { edgeHarness, OWNER_KEY, type EdgeHarness } from "./edge-harness.js";

const base = "http://localhost/api/v1/runs";
const authorization = `Bearer ${OWNER_KEY}`;

/** `line` is a method and a path below the runs: `GET /run_1`. */
async function send(harness: EdgeHarness, line: string, o: { body?: unknown; headers?: Record<string, string> } = {}) {
  const [method = "", path = ""] = line.split(" ");
  const init = { method, headers: { authorization, ...o.headers }, ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }) };
  const response = await harness.fetch(new Request(base + path, init));
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown> & { error?: { code: string; message: string } },
  };
}

function emit(harness: EdgeHarness, events: readonly RunEvent[], from = 1): void {
  events.forEach((event, i) => harness.runs.add("run_1", { ...event, seq: from + i, atMs: 1_000 + from + i }));
}

const usage = { inputTokens: 3, outputTokens: 5 };
const story: RunEvent[] = [
  { type: "run.started", attempt: 1 },
  { type: "step.started", step: 1, model: "a/one" },
  { type: "tool.started", step: 1, callId: "c1", name: "demo__time", arguments: "{}" },
  { type: "tool.finished", step: 1, callId: "c1", name: "demo__time", isError: false, text: "12:00\n\nnoon" },
  { type: "step.finished", step: 1, finishReason: "tool-calls", usage },
  { type: "text.delta", step: 2, text: "It is\nnoon" },
  { type: "run.succeeded", text: "It is\nnoon", output: { camelCase: "stays", nested: [null] }, usage, steps: 2 },
];

describe("runs over REST", () => {
  it("are started with what the body says, in neutral shape", async () => {
    const harness = await edgeHarness();
    const input = [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        name: "ada",
        content: [
          { type: "text", text: "What is it?" },
          { type: "media", media_type: "image/png", source: { kind: "url", url: "https://x.test/a.png" } },
        ],
      },
      { role: "assistant", content: [{ type: "tool_call", id: "c1", name: "demo__time", arguments: "{}" }] },
      { role: "tool", content: [{ type: "tool_result", call_id: "c1", content: "12:00", is_error: false }] },
    ];
    const body = { model: "a/one", input, tools: ["demo__*"], max_steps: 5, timeout_ms: 60_000 };
    expect(await send(harness, "POST ", { body })).toEqual({ status: 201, body: { id: "run_1", status: "queued" } });
    expect(harness.runs.started[0]).toEqual({
      model: "a/one",
      input: [
        { role: "system", content: [{ type: "text", text: "Be brief." }] },
        {
          role: "user",
          name: "ada",
          content: [
            { type: "text", text: "What is it?" },
            { type: "media", mediaType: "image/png", source: { kind: "url", url: "https://x.test/a.png" } },
          ],
        },
        { role: "assistant", content: [{ type: "tool-call", id: "c1", name: "demo__time", arguments: "{}" }] },
        { role: "tool", content: [{ type: "tool-result", callId: "c1", content: [{ type: "text", text: "12:00" }], isError: false }] },
      ],
      tools: ["demo__*"],
      maxSteps: 5,
      timeoutMs: 60_000,
      idempotencyKey: undefined,
    });
    const got = await send(harness, "GET /run_1");
    expect(runRoutes.get.output.schema.strict().parse(got.body)).toEqual(got.body);
    expect(got.body).toMatchObject({ model: "a/one", tools: ["demo__*"], max_steps: 5, timeout_ms: 60_000, output: null });
    expect((got.body["input"] as unknown[])[2]).toEqual({
      role: "assistant",
      content: [{ type: "tool_call", id: "c1", name: "demo__time", arguments: "{}" }],
    });
    expect(JSON.stringify(got.body)).not.toMatch(/"[a-z]+[A-Z]\w*":/);
  });

  it("take the idempotency key from the body or the header, not two different ones", async () => {
    const harness = await edgeHarness();
    const body = { model: "a/one", input: "hi" };
    await send(harness, "POST ", { body, headers: { "idempotency-key": "k1" } });
    await send(harness, "POST ", { body: { ...body, idempotency_key: "k2" } });
    await send(harness, "POST ", { body: { ...body, idempotency_key: "k3" }, headers: { "idempotency-key": "k3" } });
    expect(harness.runs.started.map(({ idempotencyKey }) => idempotencyKey)).toEqual(["k1", "k2", "k3"]);
    const both = await send(harness, "POST ", { body: { ...body, idempotency_key: "k4" }, headers: { "idempotency-key": "k5" } });
    expect(both).toMatchObject({ status: 400, body: { error: { code: "validation_failed" } } });
  });

  it("are listed by pages, each run once", async () => {
    const harness = await edgeHarness();
    for (let i = 0; i < 5; i++) await send(harness, "POST ", { body: { model: "a/one", input: "hi" } });
    const ids: unknown[] = [];
    let cursor: string | null = null;
    do {
      const { status, body } = await send(harness, `GET ?limit=2${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(status).toBe(200);
      const page = runRoutes.list.output.schema.parse(body);
      ids.push(...page.data.map(({ id }) => id));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(ids).toEqual(["run_5", "run_4", "run_3", "run_2", "run_1"]);
  });

  it.each(["?limit=0", "?limit=101", "?limit=ten", "?limit=1&limit=2", "?status=done", "?page=2", "?cursor="])(
    "refuse the query %s",
    async (query) => {
      const { status, body } = await send(await edgeHarness(), `GET ${query}`);
      expect([status, body.error?.code]).toEqual([400, "validation_failed"]);
      expect(body.error?.message).toMatch(/^query[.:]/);
    },
  );

  it("are cancelled with a reason or without", async () => {
    const harness = await edgeHarness();
    await send(harness, "POST ", { body: { model: "a/one", input: "hi" } });
    expect(await send(harness, "POST /run_1/cancel")).toEqual({ status: 200, body: { id: "run_1", status: "cancelled" } });
    await send(harness, "POST /run_1/cancel", { body: { reason: "enough" } });
    expect((await send(harness, "GET /run_1")).body["cancel_reason"]).toBe("enough");
    expect((await send(harness, "POST /run_1/cancel", { body: { why: "x" } })).body.error?.code).toBe("validation_failed");
  });

  it("that do not exist are 404, also as a stream", async () => {
    const harness = await edgeHarness();
    for (const [method, path] of [
      ["GET", "/none"],
      ["GET", "/none/events"],
      ["POST", "/none/cancel"],
      ["GET", "/%00"],
    ] as const)
      expect(await send(harness, `${method} ${path}`)).toMatchObject({ status: 404, body: { error: { code: "not_found" } } });
  });
});

describe("the events of a run", () => {
  async function started() {
    const harness = await edgeHarness();
    await send(harness, "POST ", { body: { model: "a/one", input: "hi" } });
    const read = (path: string, headers: Record<string, string> = {}) =>
      harness.fetch(new Request(`${base}/run_1/events${path}`, { headers: { authorization, ...headers } }));
    return { harness, read };
  }

  it("are SSE frames with the sequence as id and the type as event, to the terminal one, also later", async () => {
    const { harness, read } = await started();
    emit(harness, story);
    const response = await read("");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    const text = await response.text();
    const frames = text
      .trimEnd()
      .split("\n\n")
      .map((frame) => frame.split("\n"));
    expect(frames.map(([id, event]) => `${id} ${event}`)).toEqual(story.map(({ type }, i) => `id: ${i + 1} event: ${type}`));
    for (const lines of frames) {
      expect(lines).toHaveLength(3);
      const data: unknown = JSON.parse(lines[2]!.slice("data: ".length));
      expect(runRoutes.events.output.schema.parse(data)).toEqual(data);
    }
    expect(JSON.parse(frames.at(-1)![2]!.slice(6))).toEqual({
      type: "run.succeeded",
      seq: 7,
      at_ms: 1007,
      text: "It is\nnoon",
      output: { camelCase: "stays", nested: [null] },
      usage: {
        input_tokens: 3,
        cache_read_tokens: null,
        cache_write_tokens: null,
        output_tokens: 5,
        reasoning_tokens: null,
        estimated: false,
      },
      steps: 2,
    });
    expect(await (await read("")).text()).toBe(text);
  });

  it("go on after the one that was seen last; what a reconnecting reader adds wins over its address", async () => {
    const { harness, read } = await started();
    emit(harness, story);
    expect(await (await read("?after=6")).text()).toMatch(/^id: 7\n/);
    expect(await (await read("", { "last-event-id": "5" })).text()).toMatch(/^id: 6\n/);
    expect(await (await read("?after=2", { "last-event-id": "6" })).text()).toMatch(/^id: 7\n/);
    for (const bad of ["?after=-1", "?after=x", "?after=1.5"]) expect((await read(bad)).status).toBe(400);
    expect((await read("", { "last-event-id": "abc" })).status).toBe(400);
  });

  it("arrive one by one, and a reader that leaves ends nothing but its reading", async () => {
    const { harness, read } = await started();
    emit(harness, story.slice(0, 1));
    const reader = (await read("")).body!.getReader();
    const next = async () => new TextDecoder().decode((await reader.read()).value);
    expect(await next()).toContain("run.started");
    const second = next();
    emit(harness, story.slice(1, 2), 2);
    expect(await second).toContain("step.started");
    await reader.cancel();
    expect((await send(harness, "GET /run_1")).body["status"]).toBe("queued");
  });

  it("have a head of their own, for which nothing is read", async () => {
    const { harness } = await started();
    const head = await harness.fetch(new Request(`${base}/run_1/events`, { method: "HEAD", headers: { authorization } }));
    expect([head.status, head.headers.get("content-type"), await head.text()]).toEqual([200, "text/event-stream", ""]);
  });
});
