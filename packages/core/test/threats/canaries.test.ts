import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hash } from "@node-rs/bcrypt";
import { expect, it } from "vitest";
import { allRoutes, type RestRoute } from "../../src/routes/index.js";
import { Secret } from "../../src/util/secret.js";
import { examplesOf } from "../resources/mutations.js";
import { Canaries, quotingIssuer, quotingServer } from "./canary.js";
import { bytesOf, gatewayOnSqlite, ownFolder, type Sent, type WholeGateway } from "./whole-gateway.js";

const messages = [{ role: "user", content: "hi" }];
const statuses = [400, 401, 402, 403, 404, 408, 409, 422, 429, 500, 502, 503, 529];

/** Every place of the configuration that takes a secret, with a canary in it. */
async function configured(canaries: Canaries) {
  const evil = await quotingServer();
  const issuer = await quotingIssuer();
  const file = join(ownFolder(), "secret");
  writeFileSync(file, canaries.make("in a file"));
  const vendors = Object.fromEntries(
    [...statuses, "sse", "garbage"].map((kind) => [
      `v${kind}`,
      {
        vendor: "openai-compatible" as const,
        baseUrl: `${evil.url}/${kind}/v1`,
        apiKey: canaries.make(`key of v${kind}`, (unique) => `sk-${unique}`),
        models: ["m"],
      },
    ]),
  );
  const master = canaries.add("the master secret", randomBytes(32).toString("base64"));
  const previous = canaries.add("the master secret before", randomBytes(32).toString("base64"));
  const mcpEnv = { TOKEN: canaries.make("env of a stdio server"), OTHER_KEY: canaries.make("more env of it") };
  const options = {
    env: { LAB_KEY: canaries.make("in the environment"), OPENAI_API_KEY: canaries.make("OPENAI_API_KEY") },
    ownerKey: canaries.make("the owner key", (unique) => `${unique}-with-what-an-owner-key-needs`),
    secret: master,
    previousSecrets: [previous],
    secretSources: [
      { scheme: "secret", resolve: () => Promise.resolve({ value: canaries.make("of a source of its own"), refreshAtMs: null }) },
    ],
    network: { allowPrivate: true },
    audit: { parameters: "redacted" as const },
    approvals: { tools: { demo__echo: { class: "dangerous" as const } } },
    providers: {
      ...vendors,
      pool: {
        vendor: "openai-compatible" as const,
        baseUrl: `${evil.url}/401/v1`,
        apiKeys: [{ value: canaries.make("first of a pool") }, { value: new Secret(canaries.make("second of a pool")) }],
        headers: { "x-more": canaries.make("header of a provider") },
        models: ["m"],
      },
      named: {
        vendor: "openai-compatible" as const,
        baseUrl: `${evil.url}/403/v1`,
        apiKey: canaries.make("key in a header of its own"),
        auth: { header: "x-lab-key", prefix: "Lab " },
        models: ["m"],
      },
      anthropic: { baseUrl: `${evil.url}/400`, apiKey: canaries.make("Anthropic's key") },
      google: { baseUrl: `${evil.url}/400`, apiKey: canaries.make("Google's key") },
      "from-env": { vendor: "openai-compatible" as const, baseUrl: `${evil.url}/422/v1`, apiKey: "env:LAB_KEY", models: ["m"] },
      "from-file": { vendor: "openai-compatible" as const, baseUrl: `${evil.url}/500/v1`, apiKey: `file:${file}`, models: ["m"] },
      "from-source": { vendor: "openai-compatible" as const, baseUrl: `${evil.url}/404/v1`, apiKey: "secret:lab", models: ["m"] },
    },
    mcpServers: {
      demo: { command: process.execPath, args: ["-e", "process.exit(0)"] },
      web: { url: `${evil.url}/401/mcp`, headers: { authorization: `Bearer ${canaries.make("bearer of an MCP server")}` } },
      web2: { url: `${evil.url}/500/mcp`, headers: { "x-api-key": canaries.make("header of an MCP server") } },
      garbled: { url: `${evil.url}/garbage/mcp`, headers: { cookie: `a=${canaries.make("cookie of an MCP server")}` } },
      // It dies with its environment on its lips.
      rude: { command: process.execPath, args: ["-e", "console.error(JSON.stringify(process.env)); process.exit(1)"], env: mcpEnv },
    },
    guardrails: {
      hook: {
        kind: "webhook" as const,
        stages: ["input" as const],
        settings: { url: `${evil.url}/500/hook`, secret: canaries.make("secret of a guardrail"), onError: "allow" as const },
      },
    },
    access: {
      oidc: { company: { issuer: issuer.url, clientId: "sallyport", clientSecret: canaries.make("client secret of OpenID") } },
    },
    telemetry: {
      langfuse: { publicKey: "pk-lf", secretKey: canaries.make("secret key of Langfuse"), baseUrl: `${evil.url}/400` },
      alerts: {
        allowPrivate: true,
        smtp: { host: "127.0.0.1", port: 9, user: "u", password: canaries.make("password of SMTP"), from: "a@example.com" },
      },
    },
  };
  return { evil, options };
}

/** What the gateway is told over HTTP; and which of it which answer may show, as it is shown once. */
async function told({ send }: WholeGateway, canaries: Canaries, evil: string) {
  const once = new Map<Sent, string[]>();
  const created = async (path: string, body: object) => {
    const answer = await send(`POST ${path}`, { body, headers: { "idempotency-key": `idem-${Math.random()}` } });
    expect([path, answer.status, answer.text.slice(0, 300)]).toEqual([path, 201, expect.anything()]);
    return answer;
  };
  const shown = (answer: Sent, name: string, value: string) => {
    once.set(answer, [name]);
    return canaries.add(name, value);
  };
  const keys: string[] = [];
  for (const name of ["a key", "a key that expires", "a key that is rotated", "a key that is revoked"]) {
    const answer = await created("/api/v1/add/gateway-api-key", { name });
    keys.push(shown(answer, name, answer.json.key as string));
    if (name.endsWith("rotated")) {
      const rotated = await send(`POST /api/v1/keys/${answer.json.id}/rotate`, { body: {} });
      shown(rotated, "the key after it", rotated.json.key as string);
    }
    if (name.endsWith("revoked")) await send(`POST /api/v1/keys/${answer.json.id}/revoke`, { body: {} });
  }
  const imported = canaries.make("a key of another system");
  await created("/api/v1/keys/import", { name: "imported", hash: await hash(imported, { cost: 4 }) });
  const password = canaries.make("password of Ada");
  const ada = await created("/api/v1/add/user", { username: "ada", password, role: "admin" });
  await created("/api/v1/add/user", { username: "bob", password: canaries.make("password of Bob"), role: "viewer" });
  const login = await send("POST /api/v1/login", { key: null, body: { username: "ada", password } });
  expect(login.status, login.text).toBe(200);
  const cookie = login.headers.getSetCookie()[0]!.split(";")[0]!;
  once.set(login, ["session of Ada", "CSRF token of Ada"]);
  canaries.add("session of Ada", cookie.split("=")[1]!);
  canaries.add("CSRF token of Ada", login.json.csrf_token as string);
  const me = await send("GET /api/v1/me", { key: null, headers: { cookie } });
  once.set(me, ["CSRF token of Ada"]);
  await send(`POST /api/v1/users/${ada.json.id}/password`, { body: { password: canaries.make("second password of Ada") } });

  const channels: string[] = [];
  for (const [what, body] of Object.entries({
    webhook: { kind: "webhook", settings: { url: `${evil}/500/alert` }, secret: canaries.make("secret of a webhook channel") },
    slack: { kind: "slack", secret: `${evil}/404/${canaries.make("address of Slack")}` },
    pagerduty: { kind: "pagerduty", settings: { url: `${evil}/400/pd` }, secret: canaries.make("routing key of PagerDuty") },
    mail: { kind: "email", settings: { to: ["a@example.com"] } },
  })) {
    const answer = await created("/api/v1/alert-channels", { name: what, ...body });
    channels.push(answer.json.id as string);
    if (what !== "mail")
      await send(`PATCH /api/v1/alert-channels/${answer.json.id}`, {
        body: { secret: canaries.make(`new secret of ${what}`, (u) => `http://127.0.0.1:9/${u}`) },
      });
  }
  const stored = { vendor: "openai-compatible", base_url: `${evil}/429/v1` };
  const provider = await created("/api/v1/add/provider", { name: "stored", ...stored, api_key: canaries.make("key of a stored provider") });
  await created("/api/v1/provider-keys", { provider: "stored", value: canaries.make("one more key of it") });
  await send(`PATCH /api/v1/providers/${provider.json.id}`, { body: { api_key: canaries.make("new key of a stored provider") } });
  await created("/api/v1/models", { provider: "stored", code: "m" });
  return { once, keys, cookie, channels };
}

const callsOf = (model: string): [string, object][] => [
  ["POST /v1/chat/completions", { model, messages }],
  ["POST /v1/chat/completions", { model, messages, stream: true }],
  ["POST /v1/messages", { model, max_tokens: 9, messages }],
  ["POST /v1/responses", { model, input: "hi" }],
  ["POST /v1/responses", { model, input: "hi", stream: true }],
  [`POST /v1beta/models/${model}:generateContent`, { contents: [{ parts: [{ text: "hi" }] }] }],
  ["POST /v1/embeddings", { model, input: "hi" }],
];

/** Everything of the gateway that can be made to fail, with the canaries wherever somebody might put one. */
async function failures(it: WholeGateway, canaries: Canaries, told: { cookie: string; channels: readonly string[] }): Promise<void> {
  const { send } = it;
  const garbage = canaries.make("a credential of nobody");
  const rest = allRoutes.filter((route): route is RestRoute => route.face === "rest");
  const examples = examplesOf(rest);
  const all = canaries.all.filter((value) => !value.includes("\n")).slice(0, 45);
  const everything = Object.fromEntries(all.map((value, i) => [`field_${i}`, value]));
  for (const { method, path, name } of allRoutes) {
    if (path.endsWith("/events") || name === "auth.logout") continue;
    const at = `${method} ${path.replace(/\{\w+\+?\}/g, "none")}`;
    const hasBody = method !== "GET";
    await send(at, { key: garbage, ...(hasBody ? { body: "{}" } : {}) });
    await send(`${at}?key=${garbage}&unknown=${garbage}`, {
      key: null,
      headers: { "x-api-key": garbage, "x-goog-api-key": garbage, cookie: `sallyport_session=${garbage}` },
    });
    if (!hasBody) continue;
    await send(at, { body: `{"secret":"${all[0]}",` });
    await send(at, { body: { ...(examples.get(name) as object), ...everything } });
  }
  for (const type of ["provider", "provider-key", "alert-channel", "user", "gateway-api-key"])
    for (const field of ["api_key", "value", "secret", "password", "key", "hash", "name", "settings"])
      await send(`POST /api/v1/add/${type}`, { body: { name: 5, kind: garbage, [field]: all[3], nested: { [field]: all[4] } } });

  const models = [...statuses, "sse", "garbage"].map((kind) => `v${kind}/m`);
  for (const [i, model] of [...models, "pool/m", "named/m", "from-env/m", "from-file/m", "from-source/m", "stored/m"].entries())
    for (const [line, body] of callsOf(model).filter((_, at) => at < 3 || (at + i) % 2 === 0)) await send(line, { body });
  for (const [line, body] of [...callsOf("anthropic/claude-sonnet-5"), ...callsOf("google/gemini-2.5-flash")]) await send(line, { body });

  for (const model of ["v401/m", "vsse/m", "pool/m", "web/none"])
    await send("POST /api/v1/runs", { body: { model, input: "hi", tools: ["web__*"] } });
  const rpc = (name: string, args: object) => ({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: args } });
  const approved = canaries.make("arguments that wait for a person");
  for (const name of ["web__t", "web2__t", "garbled__t", "rude__t", "demo__echo", "nobody__t"]) {
    await send("POST /mcp", { body: rpc(name, { password: approved }), headers: { accept: "application/json, text/event-stream" } });
    await send("POST /mcp", { body: rpc(name, { api_key: approved }), headers: { accept: "application/json", "mcp-session-id": garbage } });
  }
  for (let i = 0; i < 3; i++)
    await send("POST /api/v1/login", { key: null, body: { username: "ada", password: canaries.make(`wrong password ${i}`) } });
  await send("POST /api/v1/logout", { key: null, headers: { cookie: told.cookie, "x-sallyport-csrf": garbage } });
  await send("POST /api/v1/runs", {
    key: null,
    headers: { cookie: told.cookie, "x-sallyport-csrf": garbage, origin: "http://evil.test" },
    body: {},
  });
  for (const id of told.channels) await send(`POST /api/v1/alert-channels/${id}/test`, { body: {} });
  const begun = await send("GET /api/v1/login/oidc/company", { key: null });
  const state = new URL(begun.headers.get("location") ?? "http://none").searchParams.get("state") ?? "";
  const oidc = begun.headers.getSetCookie()[0]?.split(";")[0] ?? "";
  const code = canaries.make("code of an OpenID provider");
  for (const query of [`code=${code}&state=${state}`, `code=${code}&state=none`, `error=${code}&error_description=${code}&state=${state}`])
    await send(`GET /api/v1/login/oidc/company/callback?${query}`, { key: null, headers: { cookie: oidc } });
}

/** The store fails under all that writes and reads, with an error that quotes what it was given. */
async function withoutStore({ send, breakStore }: WholeGateway, canaries: Canaries, keys: readonly string[]): Promise<void> {
  breakStore(
    (given) =>
      new Error(
        `SQLITE_IOERR near ${JSON.stringify(given, (_, value: unknown) => (value instanceof AbortSignal ? null : value))?.slice(0, 20_000)}`,
      ),
  );
  const secret = canaries.make("what was to be stored");
  for (const [line, body] of [
    ["POST /api/v1/add/provider", { name: "late", vendor: "openai-compatible", base_url: "https://example.com/v1", api_key: secret }],
    ["POST /api/v1/alert-channels", { name: "late", kind: "slack", secret }],
    ["POST /api/v1/add/user", { username: "late", password: secret, role: "viewer" }],
    ["POST /api/v1/add/gateway-api-key", { name: "late" }],
    ["POST /api/v1/login", { username: "ada", password: secret }],
    ["POST /v1/chat/completions", { model: "v400/m", messages }],
    ["POST /v1/responses", { model: "v500/m", input: "hi" }],
    ["POST /api/v1/runs", { model: "v401/m", input: "hi" }],
  ] as const)
    for (const key of [undefined, keys[0]!])
      await send(line, { body, ...(key === undefined ? {} : { key }), headers: { "idempotency-key": `late-${line.length}` } });
  for (const path of ["/api/v1/keys", "/api/v1/providers", "/api/v1/audit-logs", "/api/v1/traces", "/api/v1/usage", "/api/v1/inbox"])
    await send(`GET ${path}`);
  breakStore(null);
}

it("leaves none of more than 60 secrets in logs, output, bodies, headers or the database file, however it is made to fail (T26)", async () => {
  const canaries = new Canaries();
  const { evil, options } = await configured(canaries);
  const gateway = await gatewayOnSqlite(options);
  const shown = await told(gateway, canaries, evil.url);
  await failures(gateway, canaries, shown);
  await withoutStore(gateway, canaries, shown.keys);
  const read = [
    "/metrics",
    "/api/v1/audit-logs?limit=200",
    "/api/v1/audit-logs/export?format=csv",
    "/api/v1/audit-logs/export?format=json",
    "/api/v1/traces?limit=200",
    "/api/v1/usage?limit=100",
    "/api/v1/list/auth-events",
    "/api/v1/inbox",
    "/api/v1/mcp-servers",
    "/health",
    "/v1/models",
  ];
  for (const path of read) await gateway.send(`GET ${path}`);
  // A stream of HTTP+SSE stands until its client goes.
  const isReadToItsEnd = (path: string): boolean => !path.includes("{") && path !== "/sse";
  for (const { method, path } of allRoutes) if (method === "GET" && isReadToItsEnd(path)) await gateway.send(`GET ${path}`);
  const open = bytesOf(gateway.folder);
  await gateway.close();
  const sinks: [string, string][] = [
    ["the log", gateway.lines.join("\n")],
    ["what the process wrote", gateway.written.join("")],
    ["the database file while it was open", open],
    ["the database file", bytesOf(gateway.folder)],
  ];
  const hits = sinks.flatMap(([sink, text]) => canaries.found(sink, text));
  for (const answer of gateway.answers) {
    const { method, path, status, headers, text } = answer;
    const all = `${[...headers].map((pair) => pair.join(": ")).join("\n")}\n\n${text}`;
    const inbox = path.startsWith("/api/v1/inbox") ? ["arguments that wait for a person"] : [];
    hits.push(...canaries.found(`${method} ${path.slice(0, 100)} → ${status}`, all, [...(shown.once.get(answer) ?? []), ...inbox]));
  }

  expect(hits.slice(0, 12)).toEqual([]);
  const failed = gateway.answers.filter(({ status }) => status >= 400);
  expect(canaries.size).toBeGreaterThan(60);
  expect(failed.length).toBeGreaterThan(300);
  expect(failed.filter(({ status }) => status >= 500).length).toBeGreaterThan(40);
  expect(evil.asked()).toBeGreaterThan(60);
  expect(gateway.lines.length).toBeGreaterThan(100);
}, 120_000);
