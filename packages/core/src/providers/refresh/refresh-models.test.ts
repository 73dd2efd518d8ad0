import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { clock, httpClient } from "#platform";
import type { ProviderOptions } from "../provider.js";
import { Providers } from "../providers.js";

let server: Server;
const asked: IncomingMessage[] = [];

/** A vendor that lists models: its answers by path and query, synthetic. */
async function vendor(answers: Readonly<Record<string, unknown>>, status = 200): Promise<string> {
  asked.length = 0;
  server = createServer((request, response) => {
    asked.push(request);
    const answer = answers[request.url!];
    response.writeHead(answer === undefined ? 404 : status, { "content-type": "application/json" }).end(JSON.stringify(answer ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const providersOf = (provider: ProviderOptions) => {
  const http = httpClient({ clock, connectMs: 5_000, allowPrivate: false });
  const providers = new Providers({ clock, http });
  providers.add(provider);
  return providers;
};

afterEach(() => new Promise((resolve) => server.close(resolve)));

it("says what an OpenAI-shaped vendor lists and we do not, and the other way round", async () => {
  const base = await vendor({ "/v1/models": { object: "list", data: [{ id: "new/one" }, { id: "kept" }] } });
  const providers = providersOf({ name: "lab", vendor: "openai-compatible", baseUrl: `${base}/v1`, apiKey: "k", models: ["kept", "gone"] });
  expect(await providers.models.refresh("lab")).toEqual({ provider: "lab", added: ["new/one"], missing: ["gone"], known: 1 });
  expect(providers.models.find("lab/new/one")).toBeNull();
  expect(asked[0]!.headers.authorization).toBe("Bearer k");
});

it("lists the new ones when told to, without a price", async () => {
  const base = await vendor({
    "/v1/models?limit=1000": { data: [{ id: "claude-x", display_name: "Claude X" }], has_more: true, last_id: "claude-x" },
    "/v1/models?limit=1000&after_id=claude-x": { data: [{ id: "claude-y" }], has_more: false },
  });
  const providers = providersOf({ name: "anthropic", baseUrl: base, apiKey: "k" });
  const { added } = await providers.models.refresh("anthropic", { add: true });
  expect(added).toEqual(["claude-x", "claude-y"]);
  expect(providers.models.get("anthropic/claude-x")).toMatchObject({ title: "Claude X", prices: null });
});

it("follows Google's pages and keeps the limits that it says", async () => {
  const base = await vendor({
    "/v1beta/models?pageSize=1000": { models: [{ name: "models/g-1", inputTokenLimit: 1000, outputTokenLimit: 10 }], nextPageToken: "p/2" },
    "/v1beta/models?pageSize=1000&pageToken=p%2F2": {},
  });
  const providers = providersOf({ name: "google", baseUrl: base, apiKey: "k" });
  await providers.models.refresh("google", { add: true });
  expect(providers.models.get("google/g-1")).toMatchObject({ contextTokens: 1000, maxOutputTokens: 10 });
});

it.each([
  [401, "upstream_credential"],
  [500, "upstream_unavailable"],
])("fails with a typed error when the vendor answers %i", async (status, code) => {
  const base = await vendor({ "/v1/models": {} }, status);
  const providers = providersOf({ name: "lab", vendor: "openai-compatible", baseUrl: `${base}/v1` });
  await expect(providers.models.refresh("lab")).rejects.toMatchObject({ code });
});

it("refuses a list that is none, a provider that is not there, and one that has no vendor", async () => {
  const base = await vendor({ "/v1/models": { models: [] } });
  const providers = providersOf({ name: "lab", vendor: "openai-compatible", baseUrl: `${base}/v1` });
  await expect(providers.models.refresh("lab")).rejects.toMatchObject({ code: "upstream_protocol" });
  await expect(providers.models.refresh("nobody")).rejects.toMatchObject({ code: "not_found" });
  await expect(providers.models.refresh("demo")).rejects.toMatchObject({ code: "unsupported_feature" });
});
