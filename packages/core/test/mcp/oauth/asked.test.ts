import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { expect, it, onTestFinished } from "vitest";
import type { Caller } from "../../../src/calls/index.js";
import { Visitor, world } from "./harness.js";

// A client that can be asked is sent to the page to sign in, in the middle of its call, which then goes on.

const ada: Caller = { kind: "user", id: "user_ada", userId: "user_ada", name: "ada", projects: ["default"], grants: ["mcp:*"] };

it.each(["2025-11-25", "2026-07-28"] as const)(
  "a client of %s that shows pages to its user is asked by URL, and gets the result of its call",
  async (revision) => {
    const { as, gateway } = await world();
    const made = await gateway(
      { issuer: as.issuer, credentials: "perUser", clientId: "me" },
      { auth: (request) => (request.path === "/mcp" ? ada : null), access: { publicUrl: "https://gateway.example" } },
    );
    const asked: { mode?: string; url?: string; message?: string }[] = [];
    const legacy = revision === "2025-11-25";
    const client = new Client(
      { name: "asked", version: "1" },
      { capabilities: { elicitation: { form: {}, url: {} } }, ...(legacy ? {} : { versionNegotiation: { mode: "auto" as const } }) },
    );
    client.setRequestHandler("elicitation/create", async ({ params }) => {
      asked.push(params as never);
      const { url, message } = params as { url: string; message: string };
      const code = /it is ([A-Z]{4}-[A-Z]{4})\./.exec(message)![1]!;
      expect((await new Visitor(made).signIn(url, code)).status).toBe(200);
      return { action: "accept" as const };
    });
    const fetch = (url: string | URL, init?: RequestInit) => made.fetch(new Request(String(url), init));
    await client.connect(new StreamableHTTPClientTransport(new URL("http://localhost/mcp"), { fetch }));
    onTestFinished(() => client.close());
    expect(client.getNegotiatedProtocolVersion()).toBe(revision);
    const result = await client.callTool({ name: "web__whoami", arguments: {} });
    expect(JSON.stringify(result.content)).toContain("authorization_code");
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      mode: "url",
      url: expect.stringMatching(/^https:\/\/gateway\.example\/api\/v1\/oauth\/sign-in\//) as string,
    });
    expect(as.issued).toEqual({ authorization_code: 1 });
  },
);
