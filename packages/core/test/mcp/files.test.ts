import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { expect, it, onTestFinished } from "vitest";
import { callerOf, restGateway } from "../resources/harness.js";

const RUNS = 300;
const CANARY = "canary_of_a_file";
const boss = callerOf("boss", { grants: ["*", "project:*"] });

/** A document that is a file of this machine, as good as any. */
function documentFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-files-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "api.json");
  const paths = { "/a": { get: { operationId: CANARY, summary: CANARY, responses: {} } } };
  const document = { openapi: "3.1.0", info: { title: CANARY, version: "1" }, servers: [{ url: "https://api.example" }], paths };
  writeFileSync(file, JSON.stringify(document));
  return file;
}

const escaped = (text: string, each: RegExp): string =>
  text.replace(each, (found) => `%${found.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** Ways to write the path of a file that some readers of paths and URLs take for it. */
function spellings(file: string): fc.Arbitrary<string> {
  const path = fc.constantFrom(
    file,
    relative(process.cwd(), file),
    `/..${file}`,
    `/proc/self/root${file}`,
    file.replaceAll("/", "//"),
    file.replaceAll("/", "/./"),
  );
  const written = fc.tuple(path, fc.constantFrom(/never/g, /\./g, /\//g, /[a-z]/g)).map(([text, each]) => escaped(text, each));
  const around = fc.constantFrom<(text: string) => string>(
    (text) => text,
    (text) => `file://${text}`,
    (text) => `FILE:${text}`,
    (text) => `file://localhost${text}`,
    (text) => ` ${text}`,
    (text) => `\t\n${text}`,
    (text) => `${text}\0`,
    (text) => `${text}\0.json`,
    (text) => `${text}?x=1`,
    (text) => `${text}#x`,
    (text) => text.replaceAll("/", "\\"),
    (text) => `https\t://${text}`,
    (text) => `data:application/json,${text}`,
    (text) => `blob:${text}`,
    (text) => `node:${text}`,
    (text) => `//localhost${text}`,
    (text) => pathToFileURL(text).href,
  );
  return fc.tuple(written, around).map(([text, put]) => put(text));
}

it("no text that comes over HTTP or MCP names a file of this machine (T32)", async () => {
  const file = documentFile();
  const { gateway, call } = await restGateway([boss], { mcpServers: {}, network: { allowPrivate: false } });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  // The operator's own configuration does name files: this one would be read.
  expect((await gateway.mcp.probe({ type: "openapi", spec: file })).tools.map(({ name }) => name)).toEqual([CANARY]);
  const read = (uri: string) => ({ jsonrpc: "2.0", id: 1, method: "resources/read", params: { uri } });
  await fc.assert(
    fc.asyncProperty(spellings(file), async (text) => {
      const config = { type: "openapi", endpoint: text };
      const answers = [
        await call("PUT", "/api/v1/admin/connection-instances/mcp/lab", { body: { config } }),
        await call("POST", "/mcp/servers/add", { body: { mcpServers: { lab: { type: "openapi", spec: text } } } }),
        await call("POST", "/mcp", { body: read(text), headers: { accept: "application/json, text/event-stream" } }),
        await call("POST", "/v1/mcp/demo/resources/read", { body: { uri: text } }),
      ];
      const remote = await gateway.mcp.probe({ type: "openapi", spec: text }, { trust: "remote" }).then(JSON.stringify, String);
      for (const said of [...answers.map(({ text: body }) => body), remote]) expect(said).not.toContain(CANARY);
    }),
    { numRuns: RUNS },
  );
  expect(JSON.stringify(await gateway.mcp.tools())).not.toContain(CANARY);
});
