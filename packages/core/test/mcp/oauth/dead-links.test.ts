import { expect, it } from "vitest";
import type { Caller } from "../../../src/calls/index.js";
import type { GatewayError } from "../../../src/errors/index.js";
import type { Gateway } from "../../../src/gateway.js";
import { memoryStore } from "../../../src/memory/index.js";
import { Visitor, world } from "./harness.js";

// Where somebody is sent to sign in is of use: what was used up, without a sign-in coming of it, is told to nobody again.

const ada: Caller = { kind: "user", id: "user_ada", userId: "user_ada", name: "ada", projects: ["default"], grants: ["mcp:*"] };

async function gateways(count: number): Promise<readonly Gateway[]> {
  const w = await world();
  const storage = { open: () => Promise.resolve(store) } as never;
  const store = memoryStore();
  const access = { publicUrl: "https://gateway.example" };
  const env = { SALLYPORT_SECRET: Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64") };
  return Promise.all(
    Array.from({ length: count }, () =>
      w.gateway({ issuer: w.as.issuer, credentials: "perUser", clientId: "me" }, { env, storage, access, network: { allowPrivate: true } }),
    ),
  );
}
async function told(gateway: Gateway) {
  const error = (await gateway.mcp.call("web__whoami", {}, { caller: ada }).catch((thrown: unknown) => thrown)) as GatewayError;
  expect(error.code).toBe("authorization_required");
  return { link: String(error.details?.["authorization_url"]), code: String(error.details?.["confirmation_code"]) };
}

it.each([1, 2])("somebody who agreed and then did not sign in is told another address, at %i processes", async (count) => {
  const all = await gateways(count);
  const [one, other] = [all[0]!, all.at(-1)!];
  const first = await told(one);
  const visitor = new Visitor(other);
  expect((await visitor.agree(first.link, first.code)).status).toBe(303);
  // At the authorization server they go no further.
  const second = await told(one);
  expect(second.link).not.toBe(first.link);
  expect((await visitor.signIn(second.link, second.code)).status).toBe(200);
  expect((await one.mcp.call("web__whoami", {}, { caller: ada })).isError).toBe(false);
});

it("so is somebody whose link is over because of wrong codes", async () => {
  const [gateway] = await gateways(1);
  const first = await told(gateway!);
  const visitor = new Visitor(gateway!);
  for (let i = 0; i < 5; i++) await visitor.agree(first.link, "BBBB-BBBB");
  const second = await told(gateway!);
  expect(second.link).not.toBe(first.link);
  expect((await visitor.signIn(second.link, second.code)).status).toBe(200);
});

it("of many calls at once each is told the same address: there is one sign-in to finish", async () => {
  const [gateway] = await gateways(1);
  const all = await Promise.all(Array.from({ length: 20 }, () => told(gateway!)));
  expect(new Set(all.map(({ link }) => link)).size).toBe(1);
  expect((await told(gateway!)).link).toBe(all[0]!.link);
});
