import { describe, expect, it } from "vitest";
import type { Caller, HttpAnswer } from "../../calls/index.js";
import { storedResponse } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { memoryBus, memoryCache, memoryCounters, memoryStore, memoryWakeup } from "../../memory/index.js";
import { clock, crypto } from "../../platform/node.js";
import { now, update } from "../../ports/index.js";
import { createSeams, EventHub, type CallOptions, type ListedModel, type Services } from "../../seams/index.js";
import { Log } from "../../util/log.js";
import { ENVELOPE_MARK } from "../opaque/index.js";
import { parseSse } from "../../util/sse.js";
import { StoredResponses, type StoredResponsesOptions } from "./stored-responses.js";
import { Redactor } from "../../secrets/redactor.js";

type Json = Record<string, unknown>;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
const owner: Caller = { kind: "owner", id: "owner", name: "owner", projects: ["default"], grants: ["*"] };
const stranger: Caller = { ...owner, id: "key_2", projects: ["another"] };
const options = (o: Partial<CallOptions> = {}): CallOptions => ({
  ...{ caller: owner, requestId: "req_1", signal: new AbortController().signal, deadlineMs: Date.now() + 30_000, depth: 0 },
  ...o,
});
const json = (bytes: Uint8Array) => JSON.parse(decoder.decode(bytes)) as Json;
const body = (value: unknown) => encoder.encode(typeof value === "string" ? value : JSON.stringify(value));

/** What stands behind the seam: answers as a vendor does that was asked to keep nothing. */
interface Asked {
  readonly request: Json;
  readonly text: string;
  readonly options: CallOptions;
}
type Say = (asked: Asked, n: number) => HttpAnswer | Promise<HttpAnswer>;

function message(n: number, text: string): Json {
  const content = [{ type: "output_text", text, annotations: [] }];
  return { type: "message", id: `msg_of_the_vendor_${String(n).padStart(8, "0")}`, status: "completed", role: "assistant", content };
}
function response(n: number, output: unknown[], more: Json = {}): Json {
  return {
    id: `resp_vendor_${n}`,
    object: "response",
    status: "completed",
    store: false,
    previous_response_id: null,
    output,
    big: 1,
    ...more,
  };
}
function whole(text: string): HttpAnswer {
  const headers = [["x-sallyport-model", "a/one"]] as const;
  return { status: 200, headers, body: { kind: "bytes", bytes: encoder.encode(text) }, done: () => undefined };
}
function streamed(frames: AsyncIterable<Uint8Array>): HttpAnswer {
  return { status: 200, headers: [["x-sallyport-model", "a/one"]], body: { kind: "frames", frames }, done: () => undefined };
}
const frame = (type: string, fields: Json) => encoder.encode(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
async function* events(n: number, o: { readonly text?: string; readonly until?: Promise<unknown>; readonly end?: "failed" } = {}) {
  const text = o.text ?? `answer ${n}`;
  yield frame("response.created", { sequence_number: 0, response: response(n, [], { status: "in_progress" }) });
  yield frame("response.output_text.delta", { sequence_number: 1, delta: text });
  await o.until;
  if (o.end === "failed") {
    yield frame("error", { sequence_number: 2, code: "server_error", message: "The model fell over.", param: null });
    return;
  }
  yield frame("response.completed", { sequence_number: 2, response: response(n, [message(n, text)]) });
}

function responses(
  say: Say,
  o: StoredResponsesOptions & {
    readonly listed?: Partial<ListedModel>;
    readonly store?: Services["store"];
    readonly clock?: Services["clock"];
  } = {},
) {
  const asked: Asked[] = [];
  const store = o.store ?? memoryStore({ clock });
  const log = new Log("silent", () => undefined);
  const common = {
    store,
    clock: o.clock ?? clock,
    crypto,
    log,
    wakeup: memoryWakeup({ clock }),
    bus: memoryBus(),
    cache: memoryCache({ clock }),
    counters: memoryCounters({ clock }),
    redactor: new Redactor(),
    events: new EventHub(),
  };
  const services: Services = { ...common, seams: createSeams(), nodeId: `node_${Math.random()}` };
  const unused = () => Promise.reject(new GatewayError("internal", "not called here"));
  const listed = { id: "a/one", provider: "a", createdAtMs: 0, ownedBy: "a", title: "one", contextTokens: null, maxOutputTokens: null };
  services.seams.models.fill({
    relay: async ({ bytes }, callOptions) => {
      const call = { request: json(bytes), text: decoder.decode(bytes), options: callOptions };
      asked.push(call);
      return say(call, asked.length);
    },
    call: unused,
    operate: unused,
    list: () => [],
    find: () => ({ ...listed, ...o.listed }),
  });
  return { responses: new StoredResponses(services, o), asked, store };
}
async function read(answer: HttpAnswer): Promise<Json> {
  if (answer.body.kind === "bytes") return json(answer.body.bytes);
  throw new Error("It was streamed.");
}
async function readEvents(frames: AsyncIterable<Uint8Array>): Promise<Json[]> {
  let text = "";
  for await (const chunk of frames) text += decoder.decode(chunk, { stream: true });
  return parseSse(text).map(({ data }) => JSON.parse(data) as Json);
}
const framesOf = (answer: HttpAnswer): AsyncIterable<Uint8Array> => {
  if (answer.body.kind === "frames") return answer.body.frames;
  throw new Error("It was not streamed.");
};
const plain: Say = ({ request }, n) =>
  request["stream"] === true ? streamed(events(n)) : whole(JSON.stringify(response(n, [message(n, `answer ${n}`)])));

describe("a response that is kept", () => {
  it("is asked of the vendor with store: false, all other bytes untouched, and has an id of ours", async () => {
    const { responses: kept, asked } = responses(() =>
      whole('{ "id":"resp_vendor", "output": [],"status":"completed","x": 12345678901234567890,"store":false}'),
    );
    const answer = await kept.create(body('{"model":"a/one",  "input":"hi", "x": 98765432109876543210, "store": true}'), options());
    expect(asked[0]!.text).toBe('{"model":"a/one",  "input":"hi", "x": 98765432109876543210, "store": false}');
    const text = decoder.decode(answer.body.kind === "bytes" ? answer.body.bytes : new Uint8Array());
    expect(text).toMatch(
      /^\{"background":false,"previous_response_id":null, "id":"resp_\w+", "output": \[\],"status":"completed","x": 12345678901234567890,"store":true\}$/,
    );
    const id = (await read(answer))["id"] as string;
    expect(decoder.decode(await kept.get(id, owner))).toBe(text);
    expect(answer.headers).toContainEqual(["x-sallyport-model", "a/one"]);
  });

  it("is kept when nothing is said of it, and is not with store: false, whose bytes go both ways as they are", async () => {
    const { responses: kept, asked } = responses(plain);
    expect(await read(await kept.create(body({ model: "a/one", input: "hi" }), options()))).toMatchObject({ store: true });
    expect(asked[0]!.request).toEqual({ model: "a/one", input: "hi", store: false });
    const given = '{"model":"a/one","store" : false,"input":"hi"}';
    expect(await read(await kept.create(body(given), options()))).toMatchObject({ id: "resp_vendor_2", store: false });
    expect(asked[1]!.text).toBe(given);
  });

  it("is streamed under our id, whatever else it holds as it came, and is kept when its end is told", async () => {
    const { responses: kept } = responses(plain);
    const answer = await kept.create(body({ model: "a/one", input: "hi", stream: true }), options());
    let text = "";
    let id = "";
    for await (const chunk of framesOf(answer)) {
      text += decoder.decode(chunk);
      const last = parseSse(text).at(-1)!;
      if (last.event !== "response.completed") continue;
      id = ((JSON.parse(last.data) as Json)["response"] as Json)["id"] as string;
      expect(json(await kept.get(id, owner))).toMatchObject({ status: "completed" });
    }
    expect(text).not.toContain("resp_vendor");
    expect(text).toContain(decoder.decode(frame("response.output_text.delta", { sequence_number: 1, delta: "answer 1" })));
    expect(id).toMatch(/^resp_/);
  });

  it("is nobody else's: not read, listed, deleted, cancelled or gone on from by another project", async () => {
    const { responses: kept } = responses(plain);
    const id = (await read(await kept.create(body({ model: "a/one", input: "hi" }), options())))["id"] as string;
    const page = { limit: 20, order: "desc" } as const;
    const tries = [
      kept.get(id, stranger),
      kept.inputItems(id, page, stranger),
      kept.remove(id, stranger),
      kept.cancel(id, stranger),
      kept.create(body({ model: "a/one", input: "and?", previous_response_id: id }), options({ caller: stranger })),
      kept.create(body({ model: "a/one", input: "and?", previous_response_id: "resp_of_a_vendor" }), options()),
    ];
    for (const tried of tries) await expect(tried).rejects.toMatchObject({ code: "not_found", hint: expect.any(String) as string });
    await kept.remove(id, owner);
    await expect(kept.get(id, owner)).rejects.toMatchObject({ code: "not_found" });
  });

  it("is answered all the same when it cannot be kept, and then says so", async () => {
    const store = memoryStore({ clock });
    const { responses: kept } = responses(plain, {
      store: {
        ...store,
        commit: () => Promise.reject(new GatewayError("store_unavailable", "gone")),
        find: store.find.bind(store),
        get: store.get.bind(store),
      } as Services["store"],
    });
    expect(await read(await kept.create(body({ model: "a/one", input: "hi" }), options()))).toMatchObject({ store: false });
    const told = await readEvents(framesOf(await kept.create(body({ model: "a/one", input: "hi", stream: true }), options())));
    expect(told.at(-1)).toMatchObject({ type: "response.completed", response: { store: false, output: [message(2, "answer 2")] } });
  });

  it("is the oldest one to go where only so many are kept", async () => {
    const { responses: kept } = responses(plain, { maxRows: 2 });
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.push((await read(await kept.create(body({ model: "a/one", input: "hi" }), options())))["id"] as string);
    await expect(kept.get(ids[0]!, owner)).rejects.toMatchObject({ code: "not_found" });
    expect(json(await kept.get(ids[2]!, owner))).toMatchObject({ id: ids[2] });
  });

  it("is gone when its time is over", async () => {
    const { responses: kept } = responses(plain, { ttlMs: 0 });
    const id = (await read(await kept.create(body({ model: "a/one", input: "hi" }), options())))["id"] as string;
    await expect(kept.get(id, owner)).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("previous_response_id", () => {
  it("108: becomes the whole conversation, so that any vendor can go on with it", async () => {
    const { responses: kept, asked } = responses(plain);
    const first = await read(await kept.create(body({ model: "a/one", input: "one", instructions: "be brief" }), options()));
    const second = await read(
      await kept.create(body({ model: "a/one", input: [{ role: "user", content: "two" }], previous_response_id: first["id"] }), options()),
    );
    expect(second).toMatchObject({ previous_response_id: first["id"] });
    await kept.create(body({ model: "a/one", input: "three", previous_response_id: second["id"] }), options());
    expect(asked[2]!.request).toEqual({
      model: "a/one",
      previous_response_id: null,
      store: false,
      input: [
        { type: "message", role: "user", content: "one" },
        message(1, "answer 1"),
        { role: "user", content: "two" },
        message(2, "answer 2"),
        { type: "message", role: "user", content: "three" },
      ],
    });
  });

  it("1: carries reasoning in its sealed form, which is asked for of models that think", async () => {
    const reasoning = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "sealed" };
    const say: Say = (_asked, n) => whole(JSON.stringify(response(n, n === 1 ? [reasoning, message(n, "a")] : [])));
    const { responses: kept, asked } = responses(say, { listed: { features: ["chat", "reasoning"] } });
    const first = await read(await kept.create(body({ model: "a/one", input: "one", include: ["x"] }), options()));
    expect(asked[0]!.request["include"]).toEqual(["x", "reasoning.encrypted_content"]);
    await kept.create(body({ model: "a/one", input: "two", previous_response_id: first["id"] }), options());
    expect((asked[1]!.request["input"] as unknown[])[1]).toEqual(reasoning);
  });

  it("13: leaves reasoning out that another provider sealed, says so, and keeps what is in an envelope of ours", async () => {
    const reasoning = (id: string, sealed: string) => ({ type: "reasoning", id, summary: [], encrypted_content: sealed });
    const output = [reasoning("rs_1", "theirs"), reasoning("rs_2", `${ENVELOPE_MARK}sealed`), message(1, "a")];
    const say: Say = (_asked, n) => ({
      ...whole(JSON.stringify(response(n, n === 1 ? output : []))),
      headers: [["x-sallyport-provider", n === 1 ? "another" : "a"]],
    });
    const { responses: kept, asked } = responses(say, { listed: { features: ["chat"] } });
    const first = await read(await kept.create(body({ model: "a/one", input: "one" }), options()));
    const second = await kept.create(body({ model: "a/one", input: "two", previous_response_id: first["id"] }), options());
    const { id: _id, ...rest } = message(1, "a");
    expect((asked[1]!.request["input"] as unknown[]).slice(1, 3)).toEqual([output[1], rest]);
    expect(second.headers).toContainEqual(["x-sallyport-warnings", expect.stringContaining("previous_response_id")]);
    const fourth = await kept.create(body({ model: "a/one", input: "x", previous_response_id: (await read(second))["id"] }), options());
    expect(fourth.headers).toContainEqual(["x-sallyport-warnings", expect.stringContaining("previous_response_id")]);
  });

  it("2, 19: leaves reasoning out that nobody kept, and with it the ids that say what belongs to it", async () => {
    const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "f", arguments: "{}" };
    const say: Say = (_asked, n) =>
      whole(JSON.stringify(response(n, n === 1 ? [{ type: "reasoning", id: "rs_1", summary: [] }, call] : [])));
    const { responses: kept, asked } = responses(say);
    const first = await read(await kept.create(body({ model: "a/one", input: "one" }), options()));
    expect(asked[0]!.request["include"]).toBeUndefined();
    const result = { type: "function_call_output", call_id: "call_1", output: "done" };
    await kept.create(body({ model: "a/one", input: [result], previous_response_id: first["id"] }), options());
    const { id: _id, ...rest } = call;
    expect((asked[1]!.request["input"] as unknown[]).slice(1)).toEqual([rest, result]);
  });

  it("puts an item that is named by its id in its place, also when nothing is kept; an unknown one is refused", async () => {
    const { responses: kept, asked } = responses(plain);
    await kept.create(body({ model: "a/one", input: "one" }), options());
    const reference = { type: "item_reference", id: message(1, "")["id"] };
    await kept.create(body({ model: "a/one", store: false, input: [reference, { role: "user", content: "two" }] }), options());
    expect(asked[1]!.request["input"]).toEqual([message(1, "answer 1"), { role: "user", content: "two" }]);
    await kept.create(body({ model: "a/one", input: [{ id: reference.id }] }), options());
    expect(asked[2]!.request["input"]).toEqual([message(1, "answer 1")]);
    const unknown = kept.create(
      body({ model: "a/one", input: [{ type: "item_reference", id: "msg_of_somebody_else_entirely" }] }),
      options(),
    );
    await expect(unknown).rejects.toMatchObject({ code: "not_found", details: { param: "input[0]" } });
    const others = kept.create(body({ model: "a/one", input: [reference] }), options({ caller: stranger }));
    await expect(others).rejects.toMatchObject({ code: "not_found" });
  });

  it("is refused once a response that it goes back to is deleted", async () => {
    const { responses: kept } = responses(plain);
    const first = await read(await kept.create(body({ model: "a/one", input: "one" }), options()));
    const second = await read(await kept.create(body({ model: "a/one", input: "two", previous_response_id: first["id"] }), options()));
    await kept.remove(first["id"] as string, owner);
    const third = kept.create(body({ model: "a/one", input: "three", previous_response_id: second["id"] }), options());
    await expect(third).rejects.toMatchObject({ code: "not_found", details: { param: "previous_response_id" } });
  });

  it.each([
    ["a conversation of the vendor's", { conversation: "conv_1" }, "unsupported_feature", "conversation"],
    ["background without store", { background: true, store: false }, "validation_failed", "background"],
    ["a store that is no flag", { store: "yes" }, "validation_failed", "store"],
    ["an id that is no text", { previous_response_id: 1 }, "validation_failed", "previous_response_id"],
    ["an input that is neither text nor list", { input: {} }, "validation_failed", "input"],
  ] as const)("refuses %s, naming the field", async (_case, fields, code, param) => {
    const { responses: kept, asked } = responses(plain);
    await expect(kept.create(body({ model: "a/one", ...fields }), options())).rejects.toMatchObject({ code, details: { param } });
    expect(asked).toEqual([]);
  });

  it("is expanded for who only counts", async () => {
    const { responses: kept } = responses(plain);
    const first = await read(await kept.create(body({ model: "a/one", input: "one" }), options()));
    const expanded = json(await kept.expand(body({ model: "a/one", input: "two", previous_response_id: first["id"] }), owner));
    expect(expanded["input"]).toHaveLength(3);
    expect(expanded["previous_response_id"]).toBeNull();
  });
});

describe("input items", () => {
  it("are all that the response was made from, with ids and parts, a page at a time", async () => {
    const { responses: kept } = responses(plain);
    const first = await read(await kept.create(body({ model: "a/one", input: "one" }), options()));
    const second = await read(await kept.create(body({ model: "a/one", input: "two", previous_response_id: first["id"] }), options()));
    const id = second["id"] as string;
    const all = json(await kept.inputItems(id, { limit: 20, order: "asc" }, owner));
    const data = all["data"] as Json[];
    expect(data.map((item) => [item["role"], (item["content"] as Json[])[0]!["text"]])).toEqual([
      ["user", "one"],
      ["assistant", "answer 1"],
      ["user", "two"],
    ]);
    expect(all).toMatchObject({ object: "list", has_more: false, first_id: data[0]!["id"], last_id: data[2]!["id"] });
    const page = json(await kept.inputItems(id, { limit: 1, order: "desc", after: data[2]!["id"] as string }, owner));
    expect(page).toMatchObject({ data: [{ id: message(1, "")["id"] }], has_more: true });
  });
});

describe("109: in the background", () => {
  const hold = () => {
    let resolve = (): void => undefined;
    const until = new Promise<void>((settle) => (resolve = settle));
    return { until, resolve };
  };

  it("goes on after its caller left, is polled, and its stream is read again from any of its events", async () => {
    const { until, resolve } = hold();
    const { responses: kept, asked } = responses((_asked, n) => streamed(events(n, { until })));
    const leaving = new AbortController();
    const request = body({ model: "a/one", input: "hi", background: true, metadata: { a: "b" } });
    const created = await read(await kept.create(request, options({ signal: leaving.signal })));
    expect(created).toMatchObject({ background: true, store: true, model: "a/one", metadata: { a: "b" }, output: [] });
    expect(["queued", "in_progress"]).toContain(created["status"]);
    expect(asked[0]!.request).toMatchObject({ background: false, store: false, stream: true });
    leaving.abort();
    expect(asked[0]!.options.signal.aborted).toBe(false);
    const id = created["id"] as string;
    const early = readEvents(await kept.events(id, { caller: owner, after: -1, signal: new AbortController().signal }));
    resolve();
    expect((await early).map((event) => event["type"])).toEqual(["response.created", "response.output_text.delta", "response.completed"]);
    expect(json(await kept.get(id, owner))).toMatchObject({ id, status: "completed", background: true, output: [message(1, "answer 1")] });
    const late = await readEvents(await kept.events(id, { caller: owner, after: 0, signal: new AbortController().signal }));
    expect(late.map((event) => event["sequence_number"])).toEqual([1, 2]);
    await kept.close({ graceMs: 0 });
  });

  it("streams at once when it is asked to", async () => {
    const { responses: kept } = responses(plain);
    const answer = await kept.create(body({ model: "a/one", input: "hi", background: true, stream: true }), options());
    const told = await readEvents(framesOf(answer));
    expect(told.map((event) => event["type"])).toEqual(["response.created", "response.output_text.delta", "response.completed"]);
    const { id } = told[0]!["response"] as { id: string };
    expect((told[2]!["response"] as Json)["id"]).toBe(id);
    for (const after of [0, 1]) {
      const rest = await readEvents(await kept.events(id, { caller: owner, after, signal: new AbortController().signal }));
      expect(rest).toEqual(told.slice(after + 1));
    }
  });

  it("is cancelled: the call is aborted, the end is one, and a reader is told of it", async () => {
    const { until, resolve } = hold();
    const { responses: kept, asked } = responses((_asked, n) => streamed(events(n, { until })));
    const id = (await read(await kept.create(body({ model: "a/one", input: "hi", background: true }), options())))["id"] as string;
    const reading = readEvents(await kept.events(id, { caller: owner, after: -1, signal: new AbortController().signal }));
    const ends = await Promise.all([kept.cancel(id, owner), kept.cancel(id, owner)]);
    for (const end of ends) expect(json(end)).toMatchObject({ id, status: "cancelled" });
    expect(asked[0]!.options.signal.aborted).toBe(true);
    resolve();
    expect((await reading).at(-1)).toMatchObject({ type: "response.cancelled", response: { status: "cancelled" } });
    await kept.close({ graceMs: 1_000 });
    expect(json(await kept.get(id, owner))).toMatchObject({ status: "cancelled", output: [] });
  });

  it("has one end, whoever of a cancellation and its own end comes first; readers and pollers see the same", async () => {
    const seen = new Set<unknown>();
    for (let turns = 0; turns < 40; turns++) {
      const { until, resolve } = hold();
      const { responses: kept } = responses((_asked, n) => streamed(events(n, { until })));
      const id = (await read(await kept.create(body({ model: "a/one", input: "hi", background: true }), options())))["id"] as string;
      const reading = readEvents(await kept.events(id, { caller: owner, after: -1, signal: new AbortController().signal }));
      resolve();
      for (let i = 0; i < turns; i++) await Promise.resolve();
      const cancelled = json(await kept.cancel(id, owner));
      const told = await reading;
      await kept.close({ graceMs: 5_000 });
      const polled = json(await kept.get(id, owner));
      expect(polled).toEqual(cancelled);
      expect(told.at(-1)).toMatchObject({ type: `response.${String(polled["status"])}`, response: { status: polled["status"] } });
      expect(told.filter(({ type }) => type === "response.completed" || type === "response.cancelled")).toHaveLength(1);
      seen.add(polled["status"]);
    }
    expect(seen).toEqual(new Set(["cancelled", "completed"]));
  });

  it("fails with what it failed with, also for readers", async () => {
    const { responses: kept } = responses((_asked, n) => streamed(events(n, { end: "failed" })));
    const answer = await kept.create(body({ model: "a/one", input: "hi", background: true, stream: true }), options());
    const told = await readEvents(framesOf(answer));
    expect(told.at(-1)).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { code: "server_error", message: "The model fell over." } },
    });
  });

  it("is refused to who asked when the call is refused at once, and nothing of it is kept", async () => {
    const { responses: kept, store } = responses(() => Promise.reject(new GatewayError("model_not_found", "There is no such model.")));
    const tried = kept.create(body({ model: "a/none", input: "hi", background: true }), options());
    await expect(tried).rejects.toMatchObject({ code: "model_not_found" });
    const all = await store.find(storedResponse, { orderBy: "id", limit: 10 }, { system: "test" }, { deadlineMs: Date.now() + 1_000 });
    expect(all.rows).toEqual([]);
  });

  it("reads as failed when its process is gone, in another process, for pollers and for readers", async () => {
    const { until, resolve } = hold();
    const first = responses((_asked, n) => streamed(events(n, { until })));
    const id = (await read(await first.responses.create(body({ model: "a/one", input: "hi", background: true }), options())))[
      "id"
    ] as string;
    await expect(first.responses.get(id, owner).then(json)).resolves.toMatchObject({ status: "in_progress" });
    const lost = update(storedResponse, id, { change: { set: { leaseUntilMs: now } } });
    await first.store.commit([{ scope: { system: "test" }, writes: [lost] }], { deadlineMs: Date.now() + 1_000 });
    const second = responses(plain, { store: first.store });
    const told = await readEvents(await second.responses.events(id, { caller: owner, after: -1, signal: new AbortController().signal }));
    expect(told.at(-1)).toMatchObject({
      type: "response.failed",
      response: { error: { message: expect.stringContaining("process") as string } },
    });
    expect(json(await second.responses.get(id, owner))).toMatchObject({ status: "failed" });
    // The first one was not dead after all: what it says now comes too late.
    resolve();
    await first.responses.close({ graceMs: 5_000 });
    expect(json(await second.responses.get(id, owner))).toMatchObject({ status: "failed" });
  });

  it("fails what is not done when the gateway closes", async () => {
    const { responses: kept } = responses(({ options: { signal } }, n) => {
      const until = new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
      return streamed(events(n, { until }));
    });
    const id = (await read(await kept.create(body({ model: "a/one", input: "hi", background: true }), options())))["id"] as string;
    await kept.close({ graceMs: 0 });
    expect(json(await kept.get(id, owner))).toMatchObject({
      status: "failed",
      error: { message: expect.stringContaining("closed") as string },
    });
  });

  it("is refused, and nothing of it kept, when the gateway closes before the call has begun", async () => {
    const {
      responses: kept,
      store,
      asked,
    } = responses(
      ({ options: { signal } }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error))),
      // A second in which a call may be refused never ends: a busy machine takes longer to close.
      { clock: { ...clock, at: (ms, fn) => (ms - clock.now() > 500 ? () => undefined : clock.at(ms, fn)) } },
    );
    const tried = kept.create(body({ model: "a/one", input: "hi", background: true }), options());
    const refused = expect(tried).rejects.toMatchObject({ code: "shutting_down" });
    while (asked.length === 0) await new Promise(setImmediate);
    await kept.close({ graceMs: 0 });
    const all = await store.find(storedResponse, { orderBy: "id", limit: 10 }, { system: "test" }, { deadlineMs: Date.now() + 1_000 });
    expect(all.rows).toEqual([]);
    await refused;
  });

  it("alone can be streamed again or cancelled", async () => {
    const { responses: kept } = responses(plain);
    const id = (await read(await kept.create(body({ model: "a/one", input: "hi" }), options())))["id"] as string;
    await expect(kept.cancel(id, owner)).rejects.toMatchObject({ code: "bad_request" });
    const again = kept.events(id, { caller: owner, after: -1, signal: new AbortController().signal });
    await expect(again).rejects.toMatchObject({ code: "bad_request" });
  });
});
