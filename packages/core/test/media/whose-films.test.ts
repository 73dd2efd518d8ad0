import { expect, it, onTestFinished } from "vitest";
import { callerOf, codeOf, restGateway } from "../resources/harness.js";

it("a film's idempotency key is its caller's own: another one of the project gets a film of its own", async () => {
  const { gateway, call } = await restGateway([callerOf("ada"), callerOf("bob")]);
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const begin = (as: string, prompt: string) =>
    call("POST", "/v1/videos", { as, body: { model: "demo/video", prompt }, headers: { "idempotency-key": "k" } });
  const ada = await begin("ada", "a boat");
  expect([ada.status, (await begin("ada", "a boat")).body["id"]]).toEqual([200, ada.body["id"]]);
  const bob = await begin("bob", "a train");
  expect(bob.status).toBe(200);
  expect(bob.body["id"]).not.toBe(ada.body["id"]);
  expect((await begin("bob", "a train")).body["id"]).toBe(bob.body["id"]);
  const other = await begin("ada", "a train");
  expect(other.status).toBe(409);
  expect(codeOf(other)).toBe("idempotency_key_reuse");
});
