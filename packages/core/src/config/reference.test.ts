import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { GatewayError } from "../errors/index.js";
import { effective } from "./effective.js";
import { settingVariables, vendorVariables } from "./environment.js";
import { formatPath } from "./config-path.js";
import { loadConfig } from "./load-config.js";
import { keysAt } from "./schema-keys.js";
import { configSchema, quirksSchema, vendors } from "./schema.js";

const page = readFileSync(new URL("../../../../docs/reference/configuration.md", import.meta.url), "utf8");
const howTo = ["enrichment", "identity", "resilience", "rules", "servers", "shape"].map((about) =>
  readFileSync(new URL(`../../../../docs/how-to/mcp-${about}.md`, import.meta.url), "utf8"),
);
const blocks = [...[page, ...howTo].join("\n").matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? "");

it("documents each default as it is", () => {
  for (const { path, value } of effective(loadConfig({}))) {
    if (value === "{}" || value === "[]") continue;
    expect(page).toContain(`| \`${path}\` | \`${String(value)}\` |`);
  }
});

it("documents each key and vendor, and no dotted key that does not exist", () => {
  for (const key of keysAt(configSchema, [])) expect(page).toMatch(new RegExp(`\`${key}[.\`]`));
  for (const name of ["providers", "routes", "mcpServers", "namespaces"])
    for (const key of keysAt(configSchema, [name, "any"])) expect(page).toContain(`\`${key}\``);
  for (const key of Object.keys(quirksSchema.shape)) expect(page).toContain(`| \`${key}\` |`);
  for (const vendor of vendors) expect(page).toContain(`\`${vendor}\``);
  for (const [, path] of page.matchAll(/^\| `([a-zA-Z]+\.[a-zA-Z.]+)`/gm)) {
    const parts = (path ?? "").split(".");
    expect(keysAt(configSchema, parts.slice(0, -1)), path).toContain(parts[parts.length - 1]);
  }
});

it("documents each variable with what it sets", () => {
  for (const { variable, vendor } of vendorVariables)
    expect(page).toContain(`| \`${variable}\` | the key of the provider \`${vendor}\`, which it makes |`);
  for (const { variable, path } of settingVariables) expect(page).toContain(`| \`${variable}\` | \`${formatPath(path)}\` |`);
});

it.each(blocks)("shows an example that is valid: %#", (text) => {
  expect(() => loadConfig({ file: { path: "sallyport.config.json", text }, env: { OPENAI_API_KEY: "sk-example" } })).not.toThrow();
});

it("shows the message of a wrong configuration as it is", () => {
  const file = { path: "sallyport.config.json", text: '{"providers": {"openai": {"base_url": "http://127.0.0.1/v1"}}}' };
  let message = "";
  try {
    loadConfig({ file, env: { PORT: "eighty" } });
  } catch (error) {
    if (GatewayError.is(error, "invalid_config")) message = error.message;
  }
  expect(page).toContain(`✖ ${message}\n`);
});
