import { afterAll, beforeAll, expect, it } from "vitest";
import { mayDo } from "../../src/access/grants.js";
import { builtInRoles } from "../../src/access/people/built-in-roles.js";
import { useScopes } from "../../src/access/permissions.js";
import type { Caller } from "../../src/calls/index.js";
import type { Gateway } from "../../src/gateway.js";
import { allRoutes, type Route } from "../../src/routes/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";
import { callerOf, restGateway, type RestGateway } from "./harness.js";

// Who may do what, asked of a running gateway: every route that is mounted, as everybody (T04). The page is what came out; `npx vitest run <this file> -u` writes it anew.

const people: readonly Caller[] = Object.entries(builtInRoles).map(([role, { scopes }]) =>
  callerOf(role, { grants: [...scopes, "project:*"] }),
);
/** What a real key may that its maker gave no scopes. */
const usualKey = callerOf("key", { grants: useScopes });
const everybody = [...people.map(({ id }) => id), "key", "nobody"];

/** What a route that any caller may reach is asked for, so that what narrows it further in has its say. */
const model = "demo/echo";
const messages = [{ role: "user", content: "hi" }];
const samples: Readonly<Record<string, unknown>> = {
  "openai.chat": { model, messages },
  "responses.create": { model, input: "hi" },
  "responses.input-tokens": { model, input: "hi" },
  "openai.embeddings": { model, input: "hi" },
  "openai.images": { model, prompt: "hi" },
  "openai.speech": { model, input: "hi", voice: "alloy" },
  "openai.moderations": { model, input: "hi" },
  "openai.videos.create": { model, prompt: "hi" },
  "anthropic.messages": { model, messages, max_tokens: 5 },
  "anthropic.count-tokens": { model, messages },
  "google.beta-call": { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
  "google.call": { contents: [{ role: "user", parts: [{ text: "hi" }] }] },
  "mcp.execute": { tool_name: "demo__echo", args: { text: "hi" } },
  "mcp.post": { jsonrpc: "2.0", id: 1, method: "tools/list" },
};

/** Closed routes that name no permission: any caller may ask. A dialect's and MCP's are narrowed by the models and tools of the caller's grants; all others stand here by name. */
const anyCaller: ReadonlySet<string> = new Set([
  "auth.me",
  "auth.password",
  // Narrowed further in by the tools of the caller's grants.
  "mcp.tools",
  "mcp.servers",
  "mcp.execute",
  "mcp.search",
  "mcp.proxy.tools.call",
  "mcp.proxy.tools.list",
  "mcp.proxy.resources.read",
  "mcp.proxy.resources.list",
  "mcp.proxy.prompts.get",
  "mcp.proxy.prompts.list",
  "list.unknown",
  "add.unknown",
  "update.unknown",
  "replace.unknown",
  "del.unknown",
  // One's own sign-in at a server that each caller signs in at; that of all callers is refused further in.
  ...["start", "show", "ingest", "reacquire", "remove"].map((verb) => `mcp.oauth.${verb}`),
]);

/** Where the host application says who calls, and where keys of the gateway do. */
let rest: RestGateway;
let keyed: Gateway;
const keys = { usual: "", revoked: "", disabled: "" };
beforeAll(async () => {
  rest = await restGateway(people);
  // Every route at once on a busy machine: keys that were read a while ago are no reason to refuse here.
  keyed = await createTestGateway({ access: { maxStaleMs: 600_000 } });
  const owner = async (method: string, path: string, body: object): Promise<Record<string, unknown>> => {
    const headers = { ...bearer(TEST_OWNER_KEY), "content-type": "application/json" };
    const response = await keyed.fetch(new Request(`http://localhost${path}`, { method, headers, body: JSON.stringify(body) }));
    return (await response.json()) as Record<string, unknown>;
  };
  const made = new Map<string, string>();
  for (const name of ["usual", "revoked", "disabled"] as const) {
    const { id, key } = await owner("POST", "/api/v1/keys", { name });
    made.set(name, String(id));
    keys[name] = String(key);
  }
  await owner("POST", `/api/v1/keys/${made.get("revoked")!}/revoke`, {});
  await owner("PATCH", `/api/v1/keys/${made.get("disabled")!}`, { enabled: false });
});
afterAll(async () => {
  await rest.gateway.close();
  await keyed.close();
});

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });

function asked(route: Route, who: string): Promise<number> {
  if (who === "key") return statusOf(route, bearer(keys.usual), keyed);
  return statusOf(route, who === "nobody" ? {} : { "x-test-caller": who }, rest.gateway);
}

async function statusOf(route: Route, credential: Readonly<Record<string, string>>, gateway: Gateway): Promise<number> {
  const path = route.path
    .replace("{call+}", `${model}:generateContent`)
    .replace("{model+}", model)
    .replace(/\{\w+\+?\}/g, "none");
  const hasBody = route.method !== "GET" && route.method !== "DELETE";
  const response = await gateway.fetch(
    new Request(`http://localhost${path}`, {
      method: route.method,
      headers: { "content-type": "application/json", ...credential },
      signal: AbortSignal.timeout(60_000),
      ...(hasBody ? { body: JSON.stringify(samples[route.name] ?? {}) } : {}),
    }),
  );
  await response.body?.cancel();
  return response.status;
}

/** What an answer means: an open route is reached by nobody in particular, a denied one is refused for who asks. */
function verdict(route: Route, status: number): "open" | "yes" | "no" {
  if (status === 401 || status === 403) return "no";
  return route.open === true ? "open" : "yes";
}

it("every mounted route is closed, open by name, or for any caller by name: deny by default (T04)", () => {
  const unnamed = allRoutes.filter(
    ({ open, permission, face, name }) => open !== true && permission === null && face === "rest" && !anyCaller.has(name),
  );
  expect(unnamed.map(({ name }) => name)).toEqual([]);
});

it("every mounted route answers every role as docs/reference/permissions.md says (G11)", async () => {
  const lines: string[] = [];
  for (const route of [...allRoutes].sort((a, b) => (a.path === b.path ? order(a.method, b.method) : order(a.path, b.path)))) {
    const cells: string[] = [];
    for (const who of everybody) {
      const found = verdict(route, await asked(route, who));
      const caller = [...people, usualKey].find(({ id }) => id === who);
      const { permission } = route;
      if (who === "nobody" && route.open !== true) expect([route.name, who, found]).toEqual([route.name, who, "no"]);
      if (caller !== undefined && permission !== null)
        expect([route.name, who, found]).toEqual([route.name, who, mayDo(caller, permission.what, permission.name) ? "yes" : "no"]);
      cells.push(found);
    }
    lines.push(`| \`${route.method} ${route.path}\` | ${needs(route)} | ${cells.join(" | ")} |`);
  }
  await expect(`${head()}${lines.join("\n")}\n`).toMatchFileSnapshot("../../../../docs/reference/permissions.md");
}, 120_000);

it("a key that was revoked, disabled or never made is nobody (T04)", async () => {
  const nobodies = [keys.revoked, keys.disabled, `${keys.usual}x`, "spk_live_unknown"];
  for (const route of allRoutes)
    if (route.open !== true)
      for (const key of nobodies) expect([route.name, await statusOf(route, bearer(key), keyed)]).toEqual([route.name, 401]);
}, 120_000);

function needs({ open, permission, face }: Route): string {
  if (open === true) return "nothing";
  if (permission !== null) return `\`${permission.what}:${permission.name}\``;
  return face === "rest" ? "any credential" : "any credential, and the model or tool";
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function head(): string {
  const columns = everybody.join(" | ");
  const rule = everybody.map(() => "---").join(" | ");
  return `# Permissions

Made by \`npx vitest run packages/core/test/resources/permissions.test.ts -u\`, which asks a running gateway every route as everybody.

\`yes\`: the route is reached; what it shows and does is narrowed further by the caller's projects and grants. \`no\`: 401 without a credential, 403 with one. \`open\`: answered without a credential.
Routes of vendors' dialects and of MCP ask for any credential, and for the grant of the model or tool that is called; they are asked here for a model. \`key\` is a key that was made without scopes of its own by somebody
who has them all; \`nobody\` sends no credential. Roles and \`key\` are held here in every project. Who holds them in some of several projects is refused beyond this, with 403: writing what is of no project (providers and their keys,
models, routes, guardrails and safety policies, rate limits, personas, tool permissions and classes, alert rules and channels, budgets of the scopes \`global\` and \`provider\`), reading rate limits, personas, tool permissions, providers, their keys, alerts,
alert rules and channels, and \`/metrics\`.

| route | needs | ${columns} |
| --- | --- | ${rule} |
`;
}
