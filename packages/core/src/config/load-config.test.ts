import { expect, it } from "vitest";
import { GatewayError } from "../errors/index.js";
import { Secret } from "../util/secret.js";
import { effective } from "./effective.js";
import { loadConfig, type ConfigSources } from "./load-config.js";
import type { ConfigInput } from "./schema.js";

const file = (value: unknown) => ({ path: "sallyport.config.json", text: typeof value === "string" ? value : JSON.stringify(value) });
const refusal = (sources: ConfigSources): GatewayError => {
  try {
    loadConfig(sources);
  } catch (error) {
    if (GatewayError.is(error)) return error;
    throw error;
  }
  throw new Error("it was accepted");
};
/** Path, what and fix of each problem. */
const problems = (sources: ConfigSources) =>
  (refusal(sources).details?.["problems"] as { path: string; what: string; fix: string }[]).map(
    ({ path, what, fix }) => `${path} | ${what} | ${fix}`,
  );

it("fills in every default, so that nothing at all is a valid configuration", () => {
  const { config } = loadConfig({});
  expect(config.server).toMatchObject({ host: "127.0.0.1", port: 4747, allowedOrigins: [], trustProxy: false });
  expect(config.providers).toEqual({});
  expect(config.mcpServers).toBeUndefined();
  expect(config.access.maxStaleMs).toBe(10_000);
});

it("lets the environment win over the file, and code over both, value by value", () => {
  const { config } = loadConfig({
    file: file({ server: { port: 1000, host: "127.0.0.2", maxBodyBytes: 4096 }, logging: { level: "warn", format: "json" } }),
    env: { PORT: "2000", HOST: "127.0.0.3", LOG_LEVEL: "ERROR" },
    code: { server: { port: 3000 } },
  });
  expect(config.server).toMatchObject({ port: 3000, host: "127.0.0.3", maxBodyBytes: 4096 });
  expect(config.logging).toEqual({ level: "error", format: "json" });
});

it("makes a provider of each vendor whose variable is set, and ignores empty ones", () => {
  const env = { OPENAI_API_KEY: "k1", ANTHROPIC_API_KEY: "k2", GEMINI_API_KEY: "k3", XAI_API_KEY: "k4", DEEPSEEK_API_KEY: "k5" };
  const { config } = loadConfig({ env: { ...env, HF_TOKEN: "k6", OPENROUTER_API_KEY: "  ", PORT: "" } });
  const keys = Object.entries(config.providers).map(([name, p]) => [name, p.vendor, p.apiKey?.reveal()]);
  expect(keys).toEqual([
    ["openai", "openai", "k1"],
    ["anthropic", "anthropic", "k2"],
    ["google", "google", "k3"],
    ["xai", "xai", "k4"],
    ["deepseek", "deepseek", "k5"],
    ["huggingface", "huggingface", "k6"],
  ]);
  expect(config.server.port).toBe(4747);
});

it("takes the database, Redis and log level from the environment", () => {
  const { config } = loadConfig({ env: { DATABASE_URL: "mysql://u:p@db/x", REDIS_URL: "redis://r:6379", LOG_LEVEL: "debug" } });
  expect(config.storage?.url).toBe("mysql://u:p@db/x");
  expect(config.redis?.url).toBe("redis://r:6379");
  expect(config.logging.level).toBe("debug");
});

it("keeps a vendor's key out of a provider that only has the vendor's name", () => {
  const local = { openai: { vendor: "openai-compatible", baseUrl: "http://127.0.0.1:1/v1" } };
  const { config } = loadConfig({ file: file({ providers: local }), env: { OPENAI_API_KEY: "sk-real" } });
  expect(config.providers["openai"]?.apiKey).toBeUndefined();
});

it("treats apiKey and apiKeys as one thing: the layer above replaces both", () => {
  const pool = { openai: { apiKeys: [{ value: "a" }, { value: "b" }], baseUrl: "http://127.0.0.1:1/v1" } };
  const { config } = loadConfig({ file: file({ providers: pool }), env: { OPENAI_API_KEY: "sk-env" } });
  expect(config.providers["openai"]?.apiKeys).toBeUndefined();
  expect(config.providers["openai"]?.apiKey?.reveal()).toBe("sk-env");
  expect(config.providers["openai"]?.baseUrl).toBe("http://127.0.0.1:1/v1");
});

it("replaces an MCP server, a route and a namespace whole, and merges the rest", () => {
  const { config } = loadConfig({
    file: file({
      mcpServers: { a: { command: "a", args: ["1"] }, b: { command: "b" } },
      routes: { r: { targets: [{ model: "demo/1" }] } },
    }),
    code: { mcpServers: { a: { url: "http://127.0.0.1:9/mcp" } }, routes: { r: { strategy: "weighted", targets: [{ model: "demo/2" }] } } },
  });
  expect(config.mcpServers).toMatchObject({ a: { url: "http://127.0.0.1:9/mcp" }, b: { command: "b" } });
  expect(config.mcpServers?.["a"]).not.toHaveProperty("command");
  expect(config.routes["r"]).toMatchObject({ strategy: "weighted", targets: [{ model: "demo/2" }] });
});

it("accepts its own result again, as it stands, and any Secret in place of text", () => {
  const code = {
    providers: { openai: { apiKey: new Secret("${not a variable}") } },
    mcpServers: { s: { command: "sh", args: ["$${HOME}"] } },
  };
  const first = loadConfig({ code, env: { HOME: "/root" } });
  const again = loadConfig({ code: { ...first.config, logging: { level: "warn" } } });
  expect(again.config).toEqual({ ...first.config, logging: { level: "warn", format: "text" } });
  expect(again.config.mcpServers?.["s"]).toMatchObject({ args: ["${HOME}"] });
  expect(again.config.providers["openai"]?.apiKey?.reveal()).toBe("${not a variable}");
});

it("gives an immutable result", () => {
  const { config } = loadConfig({ code: { server: { allowedHosts: ["a.example"] } } });
  expect(() => (config.server.allowedHosts as string[]).push("b")).toThrow(TypeError);
});

it("fills variables into every string, with defaults, escapes and numbers", () => {
  const { config } = loadConfig({
    file: file({
      server: { port: "${MY_PORT:-5050}", trustProxy: "${PROXIED}", host: "127.0.0.${LAST}" },
      providers: { local: { vendor: "openai-compatible", baseUrl: "${BASE:-http://127.0.0.1:1}/v1", apiKey: "${KEY}" } },
      mcpServers: { s: { command: "sh", args: ["-c", "echo $${HOME} $5 {x}"], env: { TOKEN: "a${KEY}b" } } },
    }),
    env: { PROXIED: "true", LAST: "9", KEY: "${NOT_AGAIN}", BASE: "" },
  });
  expect(config.server).toMatchObject({ port: 5050, trustProxy: true, host: "127.0.0.9" });
  expect(config.providers["local"]?.baseUrl).toBe("http://127.0.0.1:1/v1");
  expect(config.providers["local"]?.apiKey?.reveal()).toBe("${NOT_AGAIN}");
  const server = config.mcpServers?.["s"] as { args: string[]; env: Record<string, Secret> };
  expect(server.args[1]).toBe("echo ${HOME} $5 {x}");
  expect(server.env["TOKEN"]?.reveal()).toBe("a${NOT_AGAIN}b");
});

it("names path and variable when a variable is missing, empty or malformed, all in one pass", () => {
  const sources = {
    file: file({ providers: { openai: { apiKey: "${NOPE}" }, xai: { apiKey: "${EMPTY}" } }, server: { host: "${a b}" } }),
    env: { EMPTY: "" },
  };
  expect(problems(sources)).toEqual([
    "providers.openai.apiKey | the environment variable NOPE is not set | set NOPE, or give a default: ${NOPE:-…}",
    "providers.xai.apiKey | the environment variable EMPTY is empty | set EMPTY, or give a default: ${EMPTY:-…}",
    'server.host | has a "${" that begins no variable | write ${NAME} or ${NAME:-default}, or $${ for a plain ${',
  ]);
});

it("says code, source, path, what and fix in one readable message", () => {
  const one = refusal({ env: { PORT: "eighty" } });
  expect(one.code).toBe("invalid_config");
  expect(one.message).toBe(
    "The configuration is not valid. server.port (the environment variable PORT): found text, expected a whole number from 0 to 65535.",
  );
  expect(one.hint).toBe("Write a whole number from 0 to 65535.");
  const two = refusal({ file: file({ zzz: 1, server: { port: -1 } }) });
  expect(two.message).toBe(
    [
      "The configuration has 2 problems.",
      "  - server.port (sallyport.config.json): found -1, expected a whole number from 0 to 65535. Write a whole number from 0 to 65535.",
      "  - zzz (sallyport.config.json): is not a known key. Remove it; known here: server, storage, redis, logging, sessions, providers, routes, guardrails, mcpServers, mcp, namespaces, network, approvals, access, limits, money, telemetry, audit, retention.",
    ].join("\n"),
  );
});

it.each<[string, unknown, string[]]>([
  [
    "a key in snake_case",
    { providers: { openai: { base_url: "http://x/v1" } } },
    ['providers.openai.base_url | is not a known key | did you mean "baseUrl" (keys are camelCase)? Rename it'],
  ],
  ["a misspelt key", { servre: {} }, ['servre | is not a known key | did you mean "server"? Rename it']],
  ["a key in the wrong place", { port: 80 }, ["port | is not a known key | did you mean server.port? Move it there"]],
  ["a key nobody knows", { network: { wings: 2 } }, ["network.wings | is not a known key | remove it; known here: allowPrivate"]],
  [
    "a number in quotes",
    { server: { port: "80" } },
    ["server.port | found text, expected a whole number from 0 to 65535 | write the number without quotes"],
  ],
  [
    "a boolean in quotes",
    { network: { allowPrivate: "true" } },
    ["network.allowPrivate | found text, expected true or false | write true without quotes"],
  ],
  [
    "a number out of range",
    { server: { port: 70000 } },
    ["server.port | found 70000, expected a whole number from 0 to 65535 | write a whole number from 0 to 65535"],
  ],
  [
    "a fraction",
    { server: { port: 1.5 } },
    ["server.port | found 1.5, expected a whole number from 0 to 65535 | write a whole number from 0 to 65535"],
  ],
  [
    "null",
    { server: { port: null } },
    ["server.port | found null, expected a whole number from 0 to 65535 | write a whole number from 0 to 65535"],
  ],
  [
    "text where an object belongs",
    { logging: "debug" },
    ["logging | found text, expected an object with level, format | write an object with level, format"],
  ],
  [
    "text where a list belongs",
    { server: { allowedHosts: "a.example" } },
    ["server.allowedHosts | found text, expected a list | put it into a list: [ … ]"],
  ],
  [
    "a word that is not in the list",
    { logging: { level: "inof" } },
    ['logging.level | "inof" is not one of debug, info, warn, error, silent | did you mean "info"?'],
  ],
  [
    "a vendor that is not one",
    { providers: { x: { vendor: "opnai" } } },
    [
      'providers.x.vendor | "opnai" is not one of openai, openai-compatible, anthropic, google, vertex, xai, deepseek, huggingface, openrouter, azure, groq, mistral, together, fireworks, ollama, vllm, lmstudio | did you mean "openai"?',
    ],
  ],
  [
    "an address without a scheme",
    { providers: { openai: { baseUrl: "localhost:8080/v1" } } },
    [
      "providers.openai.baseUrl | found text that is not an http(s) URL such as https://api.example.com/v1 | write http://localhost:8080/v1",
    ],
  ],
  [
    "an address of another kind",
    { providers: { openai: { baseUrl: "ftp://x" } } },
    [
      "providers.openai.baseUrl | found text that is not an http(s) URL such as https://api.example.com/v1 | write an http(s) URL such as https://api.example.com/v1",
    ],
  ],
  [
    "a database of another kind",
    { storage: { url: "postgres://u:p@h/d" } },
    [
      "storage.url | found text that is not sqlite:<file>, memory: or mysql://user:password@host/database | write sqlite:<file>, memory: or mysql://user:password@host/database",
    ],
  ],
  ["storage without its address", { storage: {} }, ['storage.url | is missing; expected text | add "url"']],
  [
    "a provider without a vendor",
    { providers: { mine: { apiKey: "k" } } },
    [
      'providers.mine.vendor | is missing, and "mine" is no vendor\'s name | add "vendor": one of openai, openai-compatible, anthropic, google, vertex, xai, deepseek, huggingface, openrouter, azure, groq, mistral, together, fireworks, ollama, vllm, lmstudio',
    ],
  ],
  [
    "a provider whose name is nearly a vendor's",
    { providers: { antropic: {} } },
    ['providers.antropic.vendor | is missing, and "antropic" is no vendor\'s name | add "vendor": "anthropic", or name the provider so'],
  ],
  [
    "an openai-compatible provider without an address",
    { providers: { "openai-compatible": {}, local: { vendor: "openai-compatible" } } },
    [
      'providers.openai-compatible.baseUrl | is missing; a provider of the vendor openai-compatible has no address of its own | add "baseUrl", such as "http://127.0.0.1:11434/v1"',
      'providers.local.baseUrl | is missing; a provider of the vendor openai-compatible has no address of its own | add "baseUrl", such as "http://127.0.0.1:11434/v1"',
    ],
  ],
  [
    "one key and several",
    { providers: { openai: { apiKey: "a", apiKeys: [{ value: "b" }] } } },
    ["providers.openai.apiKeys | stands beside apiKey | keep one of them: apiKeys for several, apiKey for one"],
  ],
  ["an empty key", { providers: { openai: { apiKey: "" } } }, ["providers.openai.apiKey | found empty text, expected text | write text"]],
  ["a key that is a number", { providers: { openai: { apiKey: 5 } } }, ["providers.openai.apiKey | found 5, expected text | write text"]],
  [
    "no keys in the list of keys",
    { providers: { openai: { apiKeys: [] } } },
    ["providers.openai.apiKeys | found an empty list, expected a list of at least one entry | write a list of at least one entry"],
  ],
  [
    "a reserved provider",
    { providers: { demo: { vendor: "openai" } } },
    [
      'providers.demo | the name "demo" is taken by the offline demo provider, which is always there | choose another name for the provider',
    ],
  ],
  [
    "a name with capitals",
    { providers: { "Open AI": { vendor: "openai" } } },
    [
      'providers["Open AI"] | "Open AI" cannot be a name here | use 1 to 40 of a-z, 0-9, - and single _, starting and ending with a letter or digit',
    ],
  ],
  [
    "a model without its id",
    { providers: { openai: { models: ["gpt-6", {}] } } },
    ['providers.openai.models[1].id | is missing; expected text | add "id"'],
  ],
  [
    "a model that is a number",
    { providers: { openai: { models: [6] } } },
    [
      "providers.openai.models[0] | found 6, expected text or an object with id, kind, features, contextTokens, maxOutputTokens, aliases, deprecated, retiresAt, successor, prices | write text or an object with id, kind, features, contextTokens, maxOutputTokens, aliases, deprecated, retiresAt, successor, prices",
    ],
  ],
  [
    "a negative price",
    { providers: { openai: { models: [{ id: "m", prices: { input: -1 } }] } } },
    ["providers.openai.models[0].prices.input | found -1, expected a number of 0 or more or text | write a number of 0 or more or text"],
  ],
  ["a server that says nothing", { mcpServers: { s: {} } }, ['mcpServers.s | has neither "command" nor "url" | add "command" or "url"']],
  [
    "a server with a misspelt command",
    { mcpServers: { s: { comand: "npx" } } },
    ['mcpServers.s.comand | is not a known key | did you mean "command"? Rename it'],
  ],
  [
    "a server that is local and remote at once",
    { mcpServers: { s: { command: "npx", url: "http://x/mcp" } } },
    ['mcpServers.s | "url" and "command" do not go together | keep the keys of one kind and remove the others'],
  ],
  [
    "a server's arguments as one text",
    { mcpServers: { s: { command: "npx", args: "-y x" } } },
    ["mcpServers.s.args | found text, expected a list | put it into a list: [ … ]"],
  ],
  [
    "a server with a misspelt kind",
    { mcpServers: { s: { url: "http://x/mcp", type: "htpp" } } },
    ['mcpServers.s.type | "htpp" is not one of stdio, http, streamable-http, sse, openapi | did you mean "http"?'],
  ],
  [
    "a route without targets",
    { routes: { r: { targets: [] } } },
    ["routes.r.targets | found an empty list, expected a list of at least one entry | write a list of at least one entry"],
  ],
  [
    "addresses with a credential in them",
    {
      providers: { openai: { baseUrl: "https://me:hidden@api.example/v1" }, xai: { baseUrl: "https://me@api.example/v1" } },
      mcpServers: { s: { url: "https://:hidden@mcp.example/mcp" }, t: { url: "https://mcp.example/@me:x" } },
    },
    [
      'providers.openai.baseUrl | has a user name or password in it | take out what stands before the "@", and give the credential in "apiKey"',
      'providers.xai.baseUrl | has a user name or password in it | take out what stands before the "@", and give the credential in "apiKey"',
      'mcpServers.s.url | has a user name or password in it | take out what stands before the "@", and give the credential in "headers", such as "authorization"',
    ],
  ],
  [
    "routes that lead nowhere",
    {
      providers: { openai: { models: ["meta/llama"] } },
      routes: {
        a: { targets: [{ model: "openai/gpt-6" }, { model: "opnai/gpt-6" }, { model: "demo/echo" }, { model: "gpt-6" }] },
        b: { targets: [{ model: "meta/llama" }, { model: "route/a" }, { model: "zzzzzzzz/x" }, { model: "/x" }] },
      },
    },
    [
      'routes.a.targets[1].model | "opnai" is no provider of this configuration | did you mean "openai"?',
      "routes.b.targets[1].model | names a route, and routes lead to models only | write provider/model",
      'routes.b.targets[2].model | "zzzzzzzz" is no provider of this configuration | use one of demo, openai, or add the provider',
      'routes.b.targets[3].model | "" is no provider of this configuration | use one of demo, openai, or add the provider',
    ],
  ],
  [
    "a namespace of a server that is not there",
    { mcpServers: { files: { command: "x" } }, namespaces: { n: { servers: ["file", "zzz"] } } },
    [
      'namespaces.n.servers[0] | "file" is no server of mcpServers | did you mean "files"?',
      'namespaces.n.servers[1] | "zzz" is no server of mcpServers | use one of files, or add the server to mcpServers',
    ],
  ],
  [
    "names of a namespace that lead nowhere, or do not count",
    {
      mcpServers: { files: { command: "x" } },
      namespaces: {
        a: { servers: ["files"], naming: "manual" },
        b: { servers: ["files"], naming: "manual", names: { read: "files__read", find: "docs__find" } },
        c: { servers: ["files"], names: { read: "files__read" } },
      },
    },
    [
      'namespaces.a.names | is empty, and the naming manual shows nothing else | name tools: "names": { "shown": "server__tool" }',
      'namespaces.b.names.find | "docs__find" is no tool of its servers | write server__tool with one of files',
      'namespaces.c.names | counts with the naming manual only | set "naming": "manual", or remove it',
    ],
  ],
  [
    "an origin with a path",
    { server: { allowedOrigins: ["*", "https://a.example", "https://a.example/x", "a.example"] } },
    [
      'server.allowedOrigins[2] | is not an origin | write scheme, host and port without a path, such as "https://app.example.com", or "*" for any',
      'server.allowedOrigins[3] | is not an origin | write scheme, host and port without a path, such as "https://app.example.com", or "*" for any',
    ],
  ],
  [
    "a host with a scheme",
    { server: { allowedHosts: ["a.example", "[::1]:80", "https://a.example"] } },
    [
      'server.allowedHosts[2] | is not a host name | write the host as it stands in the Host header, such as "ai.example.com" or "ai.example.com:8443"',
    ],
  ],
  ["a list instead of the object", [1], [" | an object { … } was expected | put the settings into one object"]],
])("explains %s", (_title, value, expected) => {
  expect(problems({ file: file(value) })).toEqual(expected);
  if (!Array.isArray(value)) expect(problems({ code: value as ConfigInput })).toEqual(expected);
});

it("never repeats text that may be a secret, wherever it stands", () => {
  const canary = "sk-canary-0123456789-0123456789";
  const misplaced: unknown[] = [
    { providers: { openai: { apiKeys: canary } } },
    { providers: { openai: { apiKey: [canary] } } },
    { providers: { openai: { vendor: canary } } },
    { providers: { openai: { baseUrl: canary } } },
    { providers: { openai: { models: { [canary.slice(0, 2)]: canary } } } },
    { storage: { url: `mysql:/user:${canary}@host` } },
    { redis: { url: `http://user:${canary}@host` } },
    { mcpServers: { s: { url: `ftp://${canary}@host`, headers: { a: 5, b: canary } } } },
    { mcpServers: { s: { command: "x", env: [canary] } } },
    { server: { allowedHosts: [`https://${canary}`], port: canary } },
    { logging: { level: "${CANARY}" } },
  ];
  for (const value of misplaced) {
    const error = refusal({ file: file(value), env: { CANARY: canary } });
    expect(JSON.stringify([error.message, error])).not.toContain(canary);
  }
  const broken = refusal({ file: file(`{"apiKey": "${canary}" "x"}`) });
  expect(JSON.stringify([broken.message, broken])).not.toContain(canary);
});

it("keeps a name that would change an object's prototype out", () => {
  expect(problems({ file: file('{"mcpServers": {"s": {"command": "x", "env": {"__proto__": "y"}}}}') })).toEqual([
    "mcpServers.s.env.__proto__ | is not a usable name | choose another name",
  ]);
});

it("tells where each value came from, and shows no secret", () => {
  const loaded = loadConfig({
    file: file({
      server: { port: "${MY_PORT}", allowedHosts: ["a.example"] },
      storage: { url: "mysql://root:hunter2@db/x?ssl=key1" },
      providers: { openai: {}, local: { vendor: "openai-compatible", baseUrl: "http://127.0.0.1:1/v1", apiKey: "short" } },
      mcpServers: { s: { command: "npx", args: ["--token", "${TOKEN}"], env: { A: "b" } } },
    }),
    env: { MY_PORT: "81", OPENAI_API_KEY: "sk-0123456789abcdefghij-tail", LOG_LEVEL: "warn", TOKEN: "tok-secret" },
    code: { sessions: { ttlSeconds: 60 } },
  });
  const values = effective(loaded);
  const at = (path: string) => values.find((value) => value.path === path);
  expect(at("server.port")).toEqual({
    path: "server.port",
    value: 81,
    source: { kind: "file", file: "sallyport.config.json", variables: ["MY_PORT"] },
    from: "sallyport.config.json, from MY_PORT",
  });
  expect(at("server.host")).toEqual({ path: "server.host", value: "127.0.0.1", source: { kind: "default" }, from: "default" });
  expect(at("server.allowedHosts[0]")?.source).toEqual({ kind: "file", file: "sallyport.config.json" });
  expect(at("logging.level")).toMatchObject({
    path: "logging.level",
    value: "warn",
    source: { kind: "environment", variable: "LOG_LEVEL" },
  });
  expect(at("sessions.ttlSeconds")).toMatchObject({ path: "sessions.ttlSeconds", value: 60, source: { kind: "code" } });
  expect(at("providers.openai.apiKey")).toMatchObject({
    path: "providers.openai.apiKey",
    value: "***tail",
    source: { kind: "environment", variable: "OPENAI_API_KEY" },
  });
  expect(at("providers.local.apiKey")?.value).toBe("***");
  expect(at("storage.url")?.value).toBe("mysql://***@db/x?ssl=***");
  expect(at("mcpServers.s.args[1]")?.value).toBe("${TOKEN}");
  expect(at("mcpServers.s.env.A")?.value).toBe("***");
  expect(JSON.stringify(values)).not.toMatch(/hunter2|tok-secret|key1|0123456789/);
});
