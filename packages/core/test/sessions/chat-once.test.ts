import { afterEach, describe, expect, it } from "vitest";
import { GatewayError } from "../../src/errors/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { systemClock } from "../../src/memory/system-clock.js";
import type { RecordStore } from "../../src/ports/index.js";
import { script, type ScriptedModel } from "../../src/testing/index.js";
import { callerOf, codeOf, restGateway, type Called, type RestGateway } from "../resources/harness.js";

const open: RestGateway[] = [];
afterEach(async () => {
  for (const { gateway } of open.splice(0)) await gateway.close({ graceMs: 0 });
});
async function served(model: ScriptedModel | TestModel, store?: RecordStore): Promise<RestGateway> {
  const storage = store === undefined ? {} : { storage: { name: "given", open: () => Promise.resolve(store) } };
  const made = await restGateway([callerOf("ada"), callerOf("bob")], { model, ...storage });
  open.push(made);
  return made;
}
type TestModel = (...asked: Parameters<ScriptedModel>) => ReturnType<ScriptedModel>;
const chat = "/api/v1/chat?provider=test&model=script";
const conversation = `${chat}&operation=conversation`;
const keyed = (body: unknown, key = "k") => ({ body, headers: { "idempotency-key": key } });
const replayed = ({ headers }: Called) => headers.get("idempotency-replayed");

describe("POST /api/v1/chat with an Idempotency-Key", () => {
  it("begins one turn, in one session, and answers a repetition with the same", async () => {
    const model = script("Hello.");
    const { call, gateway } = await served(model);
    const asked = keyed({ user_message: "Hi", system_message: "Be kind." });
    const [first, again] = [await call("POST", conversation, asked), await call("POST", conversation, asked)];
    expect(first).toMatchObject({ status: 200, body: { message: { content: "Hello." } } });
    expect(again).toMatchObject({ status: 200, body: first.body });
    expect([replayed(first), replayed(again)]).toEqual([null, "true"]);
    expect(model.calls).toHaveLength(1);
    expect((await gateway.sessions.list()).rows).toMatchObject([{ id: first.body["session_id"], messageCount: 2 }]);
    const later = keyed({ user_message: "More" }, "k2");
    expect(codeOf(await call("POST", `/api/v1/chat?session=${first.body["session_id"] as string}`, later))).toBeDefined();
    expect(model.calls).toHaveLength(2);
  });

  it("refuses another payload, another model and another operation under the key, and begins nothing", async () => {
    const model = script("One.", "Two.");
    const { call, gateway } = await served(model);
    await call("POST", chat, keyed({ user_message: "Hi" }));
    for (const [path, body] of [
      [chat, { user_message: "Ho" }],
      [chat, { user_message: "Hi", system_message: "Rhyme." }],
      [conversation, { user_message: "Hi" }],
      ["/api/v1/chat?model=test/script", { user_message: "Hi" }],
    ] as const) {
      const refused = await call("POST", path, keyed(body));
      expect([refused.status, codeOf(refused)], path).toEqual([409, "idempotency_key_reuse"]);
    }
    expect(model.calls).toHaveLength(1);
    expect((await gateway.sessions.list()).rows).toEqual([]);
  });

  it("lets whoever repeats it while it is under way wait for the same answer", async () => {
    const inner = script("Slowly.", "Slowly.");
    let go = (): void => undefined;
    const gate = new Promise<void>((resolve) => (go = resolve));
    let begun = 0;
    const { call } = await served(async function* (asked, o) {
      begun++;
      await gate;
      yield* inner(asked, o);
    });
    const asked = keyed({ user_message: "Hi" });
    const first = call("POST", conversation, asked);
    await expect.poll(() => begun).toBe(1);
    const others = [1, 2, 3].map(() => call("POST", conversation, asked));
    const streamed = call("POST", conversation, keyed({ user_message: "Hi", stream: true }, "other"));
    await expect.poll(() => begun).toBe(2);
    go();
    const answers = await Promise.all([first, ...others]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]!.status).toBe(200);
    expect(answers.filter((one) => replayed(one) === "true")).toHaveLength(3);
    expect([(await streamed).status, begun]).toEqual([200, 2]);
  });

  it("gives a stream again from its first event, with the same run and session", async () => {
    const model = script("Hello there.");
    const { call } = await served(model);
    const asked = keyed({ user_message: "Hi", stream: true });
    const [first, again] = [await call("POST", conversation, asked), await call("POST", conversation, asked)];
    expect(first.text).toContain("event: run.succeeded");
    expect(again.text).toBe(first.text);
    for (const name of ["x-run-id", "x-session-id"]) expect(again.headers.get(name)).toBe(first.headers.get(name));
    expect([replayed(first), replayed(again)]).toEqual([null, "true"]);
    expect(model.calls).toHaveLength(1);
  });

  it("fails again with what its run failed with, and may be tried again when it never began", async () => {
    const model = script({ error: "upstream_rate_limited" }, "Fine.");
    const { call } = await served(model);
    const asked = keyed({ user_message: "Hi" });
    for (let i = 0; i < 2; i++) expect(codeOf(await call("POST", chat, asked))).toBe("upstream_rate_limited");
    expect(model.calls).toHaveLength(1);
    const nowhere = "/api/v1/chat?session=session_nobody";
    for (let i = 0; i < 2; i++) expect(codeOf(await call("POST", nowhere, keyed({ user_message: "Hi" }, "n")))).toBe("not_found");
    expect((await call("POST", chat, keyed({ user_message: "Hi" }, "n"))).body).toMatchObject({ message: { content: "Fine." } });
  });

  it("begins no second turn when the store never said whether it kept the first, and leaves that its session", async () => {
    const store = memoryStore({ clock: systemClock });
    const broken = ["unknown", "none"];
    const breaking = new Proxy(store, {
      get: (target, name) => {
        const verb = Reflect.get(target, name) as unknown;
        if (typeof verb !== "function") return verb;
        if (name !== "commit") return verb.bind(target) as unknown;
        return async (...[units, w]: Parameters<RecordStore["commit"]>) => {
          const begins = units.some(({ writes }) => writes.some((write) => write.op === "insert" && write.entity.name === "run"));
          const outcome = begins ? broken.shift() : undefined;
          if (outcome !== "none") {
            const results = await target.commit(units, w);
            if (outcome === undefined) return results;
          }
          throw new GatewayError("store_unavailable", "The connection broke.", { details: { outcome } });
        };
      },
    });
    const model = script("Once.");
    const { call, gateway } = await served(model, breaking);
    const asked = keyed({ user_message: "Hi" });
    expect(codeOf(await call("POST", conversation, asked))).toBe("store_unavailable");
    expect(broken).toEqual([]);
    expect(codeOf(await call("POST", conversation, asked))).toBe("outcome_unknown");
    expect((await gateway.sessions.list()).rows).toHaveLength(1);
    expect((await gateway.runs.list()).rows).toHaveLength(1);
  });

  it("is each caller's own", async () => {
    const model = script("For Ada.", "For Bob.");
    const { call } = await served(model);
    const asked = keyed({ user_message: "Hi" });
    const ada = await call("POST", chat, asked);
    const bob = await call("POST", chat, { ...asked, as: "bob" });
    expect([ada.body, bob.body]).toMatchObject([{ message: { content: "For Ada." } }, { message: { content: "For Bob." } }]);
    expect(bob.body["run_id"]).not.toBe(ada.body["run_id"]);
  });

  it("refuses what is no key", async () => {
    const { call } = await served(script());
    for (const key of ["x".repeat(201), "two words"])
      expect(codeOf(await call("POST", chat, keyed({ user_message: "Hi" }, key))), key).toBe("validation_failed");
  });
});
