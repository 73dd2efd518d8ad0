import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Gateway } from "@sallyport/core";
import { OWNER_KEY } from "../served.js";
import type { Revision } from "./suite.js";

/** A scenario as the suite describes it to the client that it starts. */
interface Asked {
  readonly url: string;
  readonly scenario: string;
  readonly revision: Revision;
  readonly context: {
    readonly toolCalls?: readonly { readonly name: string; readonly arguments: Record<string, unknown> }[];
    /** Of a client that is registered already. */
    readonly client_id?: string;
    readonly client_secret?: string;
    readonly issuer?: string;
  };
}

/** The suite starts all its clients at once; that many gateways at a time have what they need of a busy machine. */
const AT_ONCE = 4;

/** Waits for scenarios on a free port; `command` is what the suite has to start for each. */
export async function gatewayAsClient() {
  const lanes: Promise<unknown>[] = Array.from({ length: AT_ONCE }, () => Promise.resolve());
  let next = 0;
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const at = next++ % AT_ONCE;
    const turn = lanes[at]!.then(run);
    lanes[at] = turn.catch(() => undefined);
    return turn;
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      inTurn(() => play(JSON.parse(Buffer.concat(chunks).toString()) as Asked)).then(
        (told) => response.end(told),
        (error: unknown) => response.writeHead(500).end(String(error instanceof Error ? error.stack : error)),
      );
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const program = fileURLToPath(new URL("ask-gateway.mjs", import.meta.url));
  return {
    command: `${process.execPath} ${program} http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** A client behind a gateway of its own, in front of the suite's server: what the suite sees is our upstream connection. */
async function play(asked: Asked): Promise<string> {
  const gateway = new Gateway({
    env: {},
    ownerKey: OWNER_KEY,
    logging: { level: "silent" },
    // The suite's servers, and the authorization servers that they name, are all on this machine.
    network: { allowPrivate: true },
    mcpServers: { suite: { url: asked.url, ...authOf(asked) } },
    namespaces: { bare: { servers: ["suite"], naming: "none" } },
  });
  const mode = asked.revision === "2026-07-28" ? { pin: asked.revision } : ("legacy" as const);
  const client = new Client(
    { name: "conformance", version: "1" },
    { capabilities: { elicitation: { form: { applyDefaults: true } }, sampling: {}, roots: {} }, versionNegotiation: { mode } },
  );
  client.setRequestHandler("elicitation/create", () => ({
    action: "accept" as const,
    content: asked.scenario.includes("defaults") ? {} : { confirmed: true },
  }));
  try {
    await gateway.start();
    await settled(gateway);
    if (asked.scenario.startsWith("auth/")) await signIn(gateway);
    await client.connect(
      new StreamableHTTPClientTransport(new URL("http://127.0.0.1/ns/bare/mcp"), {
        requestInit: { headers: { authorization: `Bearer ${OWNER_KEY}` } },
        fetch: (url, init) => gateway.fetch(new Request(url, init)),
      }),
    );
    return JSON.stringify(await use(client, asked, gateway));
  } finally {
    await client.close();
    await gateway.close({ graceMs: 100 });
  }
}

/** Connected, or refused with a reason: the suite starts dozens of clients at once, so that a connection may take longer than a gateway waits for it. */
async function settled(gateway: Gateway): Promise<void> {
  for (;;) {
    const [status] = gateway.mcp.status();
    if (status === undefined || status.connected || status.lastError !== null) return;
    await delay(20);
  }
}

/** Where a client's operator keeps its metadata, for the scenario that reads them there: the address is the client's id. */
const DOCUMENTS: Readonly<Record<string, string>> = { "auth/basic-cimd": "https://conformance-test.local/client-metadata.json" };

/** How the gateway is told to sign in: by itself wherever it can find out. */
function authOf({ scenario, context }: Asked) {
  if (!scenario.startsWith("auth/")) return {};
  const { client_id: clientId = DOCUMENTS[scenario], client_secret: clientSecret, issuer } = context;
  const known = { clientId, clientSecret, issuer };
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined)) as Partial<
    Record<keyof typeof known, string>
  >;
  return { auth: { type: "oauth" as const, ...given } };
}

/** What a person does in a browser who agrees at once, to the gateway's page and to the authorization server's. Errors: those of the sign-in. */
async function signIn(gateway: Gateway): Promise<void> {
  const { oauth } = gateway.mcp;
  const begun = await oauth.start("suite", { base: "http://127.0.0.1" });
  const ticket = new URL(begun.authorizationUrl).pathname.split("/").at(-1)!;
  const { authorizationUrl, cookie } = await oauth.agree(ticket, { caller: null, code: begun.confirmationCode });
  const answer = await fetch(authorizationUrl, { redirect: "manual" });
  await answer.body?.cancel();
  await oauth.finish(new URL(answer.headers.get("location") ?? "").searchParams, () => cookie);
  // A server that wants more still is not connected after that, and says nothing that could be waited for.
  for (let i = 0; i < CONNECTING && gateway.mcp.status()[0]?.connected !== true; i++) await delay(20);
}

async function use(client: Client, { scenario, context }: Asked, gateway: Gateway) {
  if (scenario.startsWith("auth/")) return useSignedIn(gateway);
  const { tools } = await client.listTools();
  const calls = context.toolCalls ?? tools.map((tool) => ({ name: tool.name, arguments: argumentsFor(scenario, tool.name, tools) }));
  // Questions of one call while others are under way are what a gateway could mix up.
  const called = await Promise.allSettled(calls.map((call) => client.callTool(call)));
  const read = [];
  if (scenario === "http-standard-headers") {
    for (const { uri } of (await client.listResources()).resources) read.push(await client.readResource({ uri }));
    for (const { name } of (await client.listPrompts()).prompts) read.push(await client.getPrompt({ name }));
  }
  return { called, read };
}

const SIGN_INS = 3;
const CONNECTING = 250;

/** Calls every tool; one that wants more than was granted has the person agree again, a few times. */
async function useSignedIn(gateway: Gateway) {
  const called = [];
  // One that took the sign-in and takes it no more before it showed a tool has the person asked again, too.
  if ((await gateway.mcp.tools()).length === 0) await signIn(gateway);
  for (const { name } of await gateway.mcp.tools())
    for (let i = 0; i < SIGN_INS; i++) {
      const result = await gateway.mcp.call(name).catch((error: unknown) => error);
      called.push(result instanceof Error ? result.message : result);
      if (!(result instanceof Error)) break;
      await signIn(gateway);
    }
  return { called };
}

function argumentsFor(scenario: string, name: string, tools: readonly { readonly name: string; readonly inputSchema: unknown }[]) {
  if (name === "add_numbers") return { a: 5, b: 3 };
  if (scenario !== "json-schema-2020-12-preservation") return {};
  return { schema: tools.find((tool) => tool.name === "json_schema_2020_12_tool")?.inputSchema };
}
