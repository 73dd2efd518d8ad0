import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlite } from "@sallyport/adapters-sqlite";
import { expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../../src/calls/index.js";
import { crypto } from "../../../src/platform/node.js";
import { createTestGateway } from "../../../src/testing/index.js";
import { modern } from "../proxy-harness.js";
import { oldHttpStory } from "../servers/http-story.js";
import { answers, everything } from "./asked-clients.js";
import { oldAsking } from "./asking-servers.js";

const callerOf = (id: string): Caller => ({ kind: "key", id, keyId: id, name: id, projects: ["default"], grants: ["*"] });
interface Told {
  readonly result?: { resultType: string; requestState?: string; inputRequests?: object; content?: { text: string }[] };
  readonly error?: { code: number; data: { code: string } };
}

it("two gateways on one SQLite file: a call that one keeps goes on from the other, for its caller alone, and is not lost in silence", async () => {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-asked-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const server = await oldHttpStory({ make: () => oldAsking() });
  const secret = crypto.random(32);
  const open = async () => {
    const gateway = await createTestGateway({
      ...{ storage: sqlite(join(folder, "sallyport.db")), secret, mcpServers: { asking: { url: server.url } } },
      auth: ({ header }: { header(name: string): string | undefined }) => callerOf(header("x-who") ?? ""),
    });
    onTestFinished(() => gateway.close({ graceMs: 0 }));
    const call = async (who: string, more: Record<string, unknown> = {}): Promise<Told> => {
      const meta = { "io.modelcontextprotocol/clientCapabilities": everything };
      const { message, headers } = modern("tools/call", { name: "asking__form", arguments: {}, ...more, _meta: meta });
      const response = await gateway.fetch(
        new Request("http://localhost/mcp", {
          method: "POST",
          headers: { ...headers, "x-who": who, "content-type": "application/json", accept: "application/json" },
          body: JSON.stringify(message),
        }),
      );
      return (await response.json()) as Told;
    };
    return { gateway, call };
  };
  const [a, b] = [await open(), await open()];
  const asked = async () => {
    const { result } = await a.call("ada");
    expect(result?.resultType).toBe("input_required");
    return { requestState: result!.requestState!, inputResponses: { [Object.keys(result!.inputRequests!)[0]!]: answers.form } };
  };
  const first = await asked();
  expect((await b.call("eve", first)).error?.code).toBe(-32602);
  const done = await b.call("ada", first);
  expect(JSON.parse(done.result!.content![0]!.text)).toEqual(answers.form);
  const second = await asked();
  await a.gateway.close({ graceMs: 0 });
  expect((await b.call("ada", second)).error?.data.code).toBe("outcome_unknown");
});
