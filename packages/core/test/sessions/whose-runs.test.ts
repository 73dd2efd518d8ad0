import { afterEach, expect, it } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { script } from "../../src/testing/index.js";
import { gate } from "../shared-ports.js";
import { callerOf, codeOf, restGateway, type RestGateway } from "../resources/harness.js";

const open: RestGateway[] = [];
afterEach(async () => {
  for (const { gateway } of open.splice(0)) await gateway.close({ graceMs: 0 });
});
const grants = ["sessions:*", "runs:*", "models:*"];
const person = (id: string, more: Partial<Caller> = {}): Caller => ({ ...callerOf(id, { grants }), userId: id, ...more });
const chat = "/api/v1/chat?provider=test&model=script";

it("a run in a session is seen, read and ended by who sees the session, and by who began it", async () => {
  const chief = person("chief", { grants: ["*"] });
  const made = await restGateway([person("u1"), person("u2"), chief], { model: script("canary answer", "again", "alone") });
  open.push(made);
  const { call } = made;
  const first = await call("POST", `${chat}&operation=conversation`, { body: { user_message: "canary question" } });
  const runId = first.body["run_id"] as string;
  const session = first.body["session_id"] as string;
  // Another's own, in a session that it sees.
  const theirs = await call("POST", `/api/v1/chat?session=${session}`, { as: "chief", body: { user_message: "canary two" } });
  expect(theirs.status).toBe(200);
  // One that is in no session is the project's, as before.
  const free = await call("POST", `${chat}&operation=chat`, { body: { user_message: "of the project" } });

  for (const id of [runId, theirs.body["run_id"] as string]) {
    const answers = await Promise.all([
      call("GET", `/api/v1/runs/${id}`, { as: "u2" }),
      call("GET", `/api/v1/runs/${id}/events`, { as: "u2" }),
      call("POST", `/api/v1/runs/${id}/cancel`, { as: "u2", body: {} }),
    ]);
    expect(answers.map(codeOf)).toEqual(["not_found", "not_found", "not_found"]);
    for (const as of ["u1", "chief"]) {
      expect((await call("GET", `/api/v1/runs/${id}`, { as })).status).toBe(200);
      expect((await call("GET", `/api/v1/runs/${id}/events`, { as })).text).toContain("run.succeeded");
    }
  }
  const ids = async (as: string) =>
    ((await call("GET", "/api/v1/runs", { as })).body["data"] as { id: string }[]).map(({ id }) => id).sort();
  const all = [runId, theirs.body["run_id"] as string, free.body["run_id"] as string].sort();
  expect([await ids("u1"), await ids("chief"), await ids("u2")]).toEqual([all, all, [free.body["run_id"]]]);
});

it("who is called a user by the host application has sessions of its own, also without a userId", async () => {
  const made = await restGateway([callerOf("ada", { grants }), callerOf("bob", { grants })], { model: script() });
  open.push(made);
  const { call } = made;
  const { body } = await call("POST", "/api/v1/sessions", { body: { title: "canary" } });
  expect(body).toMatchObject({ user_id: "ada" });
  expect((await call("GET", `/api/v1/session/${body["id"] as string}`, { as: "bob" })).status).toBe(404);
  expect((await call("GET", "/api/v1/list/sessions", { as: "bob" })).body).toMatchObject({ data: [] });
  expect((await call("GET", "/api/v1/list/sessions")).body).toMatchObject({ data: [{ title: "canary" }] });
});

it("a chat that is refused because another run has the turn changes nothing of its session", async () => {
  const waits = gate();
  const made = await restGateway([callerOf("ada")], {});
  open.push(made);
  const { call, gateway } = made;
  gateway.providers.add({
    name: "slow",
    models: ["one"],
    answer: async function* () {
      yield { type: "start", id: "a", model: "one", createdAtMs: 0 };
      await waits.passed;
      yield { type: "finish", index: 0, reason: "stop" };
    },
  });
  const { id } = await gateway.sessions.create({ model: "slow/one", instructions: "Be kind." });
  const first = call("POST", `/api/v1/chat?session=${id}`, { body: { user_message: "one" } });
  while ((await gateway.sessions.get(id))!.turnId === null) await new Promise((resolve) => setTimeout(resolve, 5));
  const refused = await call("POST", `/api/v1/chat?session=${id}`, { body: { user_message: "two", system_message: "Be rude." } });
  expect(codeOf(refused)).toBe("conflict");
  expect((await gateway.sessions.get(id))!.instructions).toBe("Be kind.");
  waits.open();
  await first;
});
