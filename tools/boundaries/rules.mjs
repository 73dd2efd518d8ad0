// Who may import whom: DESIGN.md §5 as data. `check-boundaries.mjs` reads it; nothing else decides.

const leaves = ["errors", "util"];
const travelling = [...leaves, "calls", "entities"];
const providers = [...travelling, "wire", "ports"];
const domain = [...travelling, "ports", "seams", "access", "config"];
const policy = domain;

/**
 * Folder of packages/core/src → the folders that it may import. Its own files are always allowed.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const folders = {
  errors: [],
  util: ["errors"],
  calls: leaves,
  entities: leaves,
  ports: travelling,
  seams: travelling,
  config: [...travelling, "ports"],
  access: [...travelling, "ports"],
  secrets: [...travelling, "ports", "seams", "config"],
  wire: [...leaves, "calls"],
  providers,
  policy,
  telemetry: [...domain, "policy"],
  routing: [...new Set([...policy, ...providers, "providers", "policy"])],
  mcp: [...domain, "policy"],
  agents: domain,
  tasks: domain,
  fleet: domain,
  sessions: domain,
  workspace: domain,
  routes: travelling,
  http: [...travelling, "routes", "access", "config", "wire", "seams", "policy", "ports"],
  client: [...travelling, "routes"],
  backup: [...travelling, "ports"],
  memory: [...travelling, "ports"],
  platform: [...travelling, "ports"],
  node: [...travelling, "ports", "http", "platform"],
};

/** Folders and files that may import every folder but `node`: the composition root, what it exports, and the harness around it. */
export const mayImportAllButNode = [
  "gateway.ts",
  "gateway-options.ts",
  "gateway-policy.ts",
  "gateway-configuration.ts",
  "gateway-faces.ts",
  "gateway-foundation.ts",
  "index.ts",
  "testing",
];

/**
 * Folder → folders that it may name in types only. `seams` → `ports`: docs/decisions/0003-seams-name-port-types.md; `access` → `seams`: docs/decisions/0014-who-is-calling.md.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const typesOnly = {
  seams: ["ports"],
  access: ["seams"],
  http: ["routing", "providers", "mcp", "agents", "tasks", "sessions", "workspace", "telemetry"],
};

/** Folders of core whose files may import `node:` modules. */
export const nodeFolders = ["platform", "node"];

/**
 * Packages from outside and the folders of core that are their home; `types` may name them in types only.
 * @type {Readonly<Record<string, { home: readonly string[], types?: readonly string[] }>>}
 */
export const outside = {
  "@infisical/sdk": { home: ["secrets"] },
  "@node-rs/argon2": { home: ["access"] },
  "@node-rs/bcrypt": { home: ["access"] },
  "openid-client": { home: ["access"] },
  jose: { home: ["access"] },
  zod: { home: ["entities", "routes", "config"] },
  hono: { home: ["http"] },
  "@modelcontextprotocol/client": { home: ["mcp", "node"] },
  "@modelcontextprotocol/core": { home: ["mcp", "node"] },
  "@modelcontextprotocol/server": { home: ["mcp", "node"] },
  "@modelcontextprotocol/sdk": { home: ["mcp", "node"] },
  openai: { home: ["providers"], types: ["wire"] },
  "@anthropic-ai/sdk": { home: ["providers"], types: ["wire"] },
  "@google/genai": { home: ["providers"], types: ["wire"] },
  undici: { home: ["platform"] },
  "@noble/ciphers": { home: ["platform"] },
  "@noble/hashes": { home: ["platform"] },
  eventemitter3: { home: ["seams"] },
  "@opentelemetry/api": { home: ["telemetry"] },
  "@opentelemetry/sdk-trace-base": { home: ["telemetry"] },
  "@langfuse/otel": { home: ["telemetry"] },
  "prom-client": { home: ["telemetry"] },
  nodemailer: { home: ["telemetry"] },
  "@orama/orama": { home: ["policy"] },
  minisearch: { home: ["mcp"] },
  yaml: { home: ["mcp"] },
  re2js: { home: ["policy"] },
  "@marcbachmann/cel-js": { home: ["policy"] },
  ajv: { home: ["policy"] },
  "libphonenumber-js": { home: ["policy"] },
  validator: { home: ["policy"] },
};

/** Packages that load on first use: no static import leads from these entries of core to them (DESIGN.md §4). */
export const loadedOnFirstUse = {
  packages:
    /^(openai|@anthropic-ai\/sdk|@google\/genai|undici|@orama\/orama|minisearch|yaml|@marcbachmann\/cel-js|re2js|ajv|libphonenumber-js|validator|@modelcontextprotocol\/(client|server|sdk)|@opentelemetry\/(api|sdk-trace-base)|@langfuse\/otel|prom-client|nodemailer)$/,
  entries: ["index.ts", "ports/index.ts", "entities/index.ts", "testing/index.ts"],
};

/**
 * Packages of the house that core loads when its configuration asks for one: optional peers, imported dynamically in one file.
 * @type {Readonly<Record<string, string>>}
 */
export const loadedByCore = {
  "@sallyport/adapters-sqlite": "config/open-storage.ts",
  "@sallyport/adapters-mysql": "config/open-storage.ts",
  "@sallyport/adapters-redis": "config/open-shared.ts",
};

const portsOnly = ["@sallyport/core/ports", "@sallyport/core/entities"];
const hostSees = ["@sallyport/core", "@sallyport/core/node"];

/**
 * The other packages: which entries of the house they see, and which packages from outside. What their tests import is their own affair, as long as it is a
 * package's public entry.
 * @type {Readonly<Record<string, { house: readonly string[], outside: readonly string[], node: boolean }>>}
 */
export const packages = {
  sql: { house: portsOnly, outside: ["kysely"], node: false },
  "adapters-sqlite": { house: [...portsOnly, "@sallyport/sql"], outside: ["kysely", "libsql"], node: true },
  "adapters-mysql": { house: [...portsOnly, "@sallyport/sql"], outside: ["kysely", "mysql2"], node: true },
  "adapters-redis": { house: portsOnly, outside: ["@redis/client", "bullmq"], node: true },
  "host-express": { house: hostSees, outside: ["express"], node: true },
  cli: { house: [...hostSees, "@sallyport/adapters-sqlite", "@sallyport/adapters-mysql"], outside: ["cac", "picocolors"], node: true },
  "adapter-kit": { house: [...hostSees, ...portsOnly, "@sallyport/core/testing"], outside: ["fast-check", "vitest", "zod"], node: true },
};

/** The catalogue's vendors. Shared code that needs to know one asks its row; it never compares with a name. */
export const vendorIds = ["openai", "openai-compatible", "anthropic", "google", "vertex", "xai", "deepseek", "huggingface", "openrouter"];

/** Where a vendor's id may stand in a string: the rows themselves, the list that configuration accepts, and the table of who owns which environment variable. */
export const vendorIdsAllowedIn = [
  "packages/core/src/providers/",
  "packages/core/src/config/schema.ts",
  "packages/core/src/config/environment.ts",
];
