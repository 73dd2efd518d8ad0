import { describe, expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../src/calls/index.js";
import { crypto } from "../../src/platform/node.js";
import { ENVELOPE_MARK, Sealer } from "../../src/routing/opaque/sealer.js";
import type { Provenance } from "../../src/routing/opaque/provenance.js";
import { createTestGateway, FakeClock } from "../../src/testing/index.js";

const callerOf = (id: string, project: string): Caller => ({ kind: "key", id, keyId: id, name: id, projects: [project], grants: ["*"] });
const callers = { ada: callerOf("ada", "p1"), twin: callerOf("twin", "p1"), bob: callerOf("bob", "p2") } as const;

async function gatewayOf(clock?: FakeClock) {
  const auth = ({ header }: { header(name: string): string | undefined }) => callers[header("x-who") as "ada"] ?? null;
  const gateway = await createTestGateway({ auth, ...(clock === undefined ? {} : { clock }) });
  onTestFinished(() => gateway.close({ graceMs: 0 }));
  const ask = async (who: keyof typeof callers, line: string, body?: object, headers: Record<string, string> = {}) => {
    const [method = "", path = ""] = line.split(" ");
    const response = await gateway.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { "x-who": who, "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    return {
      status: response.status,
      text,
      headers: response.headers,
      json: (text.startsWith("{") ? JSON.parse(text) : {}) as { id: string },
    };
  };
  return { gateway, ask };
}

/** Each text that differs from it in one character, at places all over it. */
function flips(text: string, most = 64): string[] {
  const step = Math.max(1, Math.floor(text.length / most));
  const out: string[] = [];
  for (let i = 0; i < text.length; i += step) {
    const other = text[i] === "a" ? "b" : "a";
    out.push(text.slice(0, i) + other + text.slice(i + 1));
  }
  return out;
}

describe("what a caller holds for the gateway (T45)", () => {
  it("a sealed token opens for its project alone, and not with any of its bits flipped (T45)", () => {
    const key = crypto.random(32);
    const sealer = new Sealer({ crypto, key: () => key });
    const provenance = {
      protocol: "openai-responses",
      vendor: "openai",
      provider: "openai",
      model: "m",
      key: "k",
      token: "the vendor's own",
    } as unknown as Provenance;
    const sealed = sealer.seal(provenance, "p1");
    const opened = sealer.open(sealed, "p1");
    expect(sealer.open(sealed, "p2")).toBeNull();
    expect(new Sealer({ crypto, key: () => crypto.random(32) }).open(sealed, "p1")).toBeNull();
    const bytes = Buffer.from(sealed.slice(ENVELOPE_MARK.length), "base64");
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3]! ^= 1 << (bit & 7);
      expect(sealer.open(ENVELOPE_MARK + changed.toString("base64"), "p1")).toBeNull();
    }
    for (let length = 0; length < bytes.length; length += 3)
      expect(sealer.open(ENVELOPE_MARK + bytes.subarray(0, length).toString("base64"), "p1")).toBeNull();
    // What the row of the stash is bound to.
    const row = sealer.sealText('{"a":1}', "row-1");
    expect([sealer.openText(row, "row-1"), sealer.openText(row, "row-2")]).toEqual([{ a: 1 }, null]);
    expect(opened === null || typeof opened === "object").toBe(true);
  });

  it("a response's id is nothing to another project, nor with a character changed, nor once it was deleted (T45, T16)", async () => {
    const { ask } = await gatewayOf();
    const made = await ask("ada", "POST /v1/responses", { model: "demo/echo", input: "ada's canary" });
    const { id } = made.json;
    expect((await ask("ada", `GET /v1/responses/${id}`)).status).toBe(200);
    const attempts: [string, (handle: string) => Promise<{ status: number; text: string }>][] = [
      ["read", (handle) => ask("bob", `GET /v1/responses/${handle}`)],
      ["input", (handle) => ask("bob", `GET /v1/responses/${handle}/input_items`)],
      ["go on", (handle) => ask("bob", "POST /v1/responses", { model: "demo/echo", input: "x", previous_response_id: handle })],
      ["delete", (handle) => ask("bob", `DELETE /v1/responses/${handle}`)],
      ["cancel", (handle) => ask("bob", `POST /v1/responses/${handle}/cancel`, {})],
    ];
    for (const [what, attempt] of attempts) {
      const { status, text } = await attempt(id);
      expect([what, status >= 400 && status < 500, text.includes("canary")]).toEqual([what, true, false]);
    }
    for (const flipped of flips(id, 16))
      if (flipped !== id) expect((await ask("ada", `GET /v1/responses/${flipped}`)).status).toBeGreaterThanOrEqual(400);
    expect((await ask("ada", `DELETE /v1/responses/${id}`)).status).toBe(200);
    expect((await ask("ada", `GET /v1/responses/${id}`)).status).toBe(404);
  });

  it("an MCP session is its caller's, of its address, and ends with its time (T45, T16)", async () => {
    const clock = new FakeClock(Date.now());
    const { ask } = await gatewayOf(clock);
    const initialize = {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "1" } },
    };
    const begun = await ask("ada", "POST /mcp", initialize);
    const session = begun.headers.get("mcp-session-id")!;
    expect(session).toMatch(/^[0-9a-f]{48}$/);
    const list = (who: keyof typeof callers, handle: string) =>
      ask(
        who,
        "POST /mcp",
        { jsonrpc: "2.0", id: 2, method: "tools/list" },
        { "mcp-session-id": handle, "mcp-protocol-version": "2025-11-25" },
      );
    expect((await list("ada", session)).status).toBe(200);
    expect((await list("twin", session)).status).toBe(404);
    expect((await list("bob", session)).status).toBe(404);
    for (const flipped of flips(session, 48)) if (flipped !== session) expect((await list("ada", flipped)).status).toBe(404);
    await clock.advance(1_900_000);
    expect((await list("ada", session)).status).toBe(404);
  });

  it("handles that are swapped between 100 clients of two principals open nothing of the other's (T16)", async () => {
    const { ask } = await gatewayOf();
    const made = await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const who = i % 2 === 0 ? ("ada" as const) : ("bob" as const);
        const canary = `canary-of-${who}-${i}`;
        const response = await ask(who, "POST /v1/responses", { model: "demo/echo", input: canary });
        const run = await ask(who, "POST /api/v1/runs", { model: "demo/echo", input: canary });
        return { who, response: response.json.id, run: run.json.id };
      }),
    );
    const reads = Array.from({ length: 600 }, async (_, i) => {
      const handle = made[(i * 37) % made.length]!;
      const who = (i * 7) % 3 === 0 ? ("ada" as const) : ("bob" as const);
      const path = i % 2 === 0 ? `/v1/responses/${handle.response}` : `/api/v1/runs/${handle.run}`;
      const { status, text } = await ask(who, `GET ${path}`);
      expect([path, status]).toEqual([path, who === handle.who ? 200 : 404]);
      expect(text).not.toContain(`canary-of-${who === "ada" ? "bob" : "ada"}`);
    });
    await Promise.all(reads);
  });
});
