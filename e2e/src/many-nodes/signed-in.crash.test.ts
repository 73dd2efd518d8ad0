import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasService, lyingAuthorizationServer, privateMariadb, protectedMcpServer, type PrivateMariadb } from "@sallyport/adapter-kit";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startFleet, type GatewayNode } from "./fleet.js";

const within = { timeout: 180_000, interval: 200 };
const PATH = "/api/v1/admin/gateway/connections/web";

/** Four gateways on one store before a server that is signed in at, whose authorization server ends a sign-in when a refresh token comes twice. */
async function place(store: { readonly sqlite: string } | { readonly mysql: string }) {
  const as = await lyingAuthorizationServer();
  const server = await protectedMcpServer((token) => as.look(token));
  const auth = { type: "oauth" as const, issuer: as.issuer, clientId: "me" };
  const settings = { mcpServers: { web: { url: server.url, auth } } };
  const fleet = await startFleet(4, { store, redis: null, world: "", mcp: null, graceMs: 1_000, settings });
  onTestFinished(async () => {
    await fleet.close();
    await server.close();
    await as.close();
  });
  return { as, server, nodes: fleet.nodes };
}

const cookiesOf = (answer: Response): string =>
  answer.headers
    .getSetCookie()
    .map((line) => line.split(";")[0])
    .join("; ");

/** Each step in the browser at another process. */
async function signIn([a, b, c, d]: readonly GatewayNode[]): Promise<void> {
  const begun = (await a!.call(`POST ${PATH}/oauth-start`, {})).json as Record<string, string>;
  const { pathname } = new URL(begun["authorization_url"]!);
  const shown = await fetch(b!.url + pathname);
  const form = /name="form" value="([^"]+)"/.exec(await shown.text())![1]!;
  const sent = await fetch(c!.url + pathname, {
    method: "POST",
    redirect: "manual",
    headers: { cookie: cookiesOf(shown), origin: c!.url, "sec-fetch-site": "same-origin" },
    body: new URLSearchParams({ form, code: begun["confirmation_code"]! }),
  });
  const agreed = await fetch(sent.headers.get("location")!, { redirect: "manual" });
  const { pathname: back, search } = new URL(agreed.headers.get("location")!);
  const done = await fetch(d!.url + back + search, { headers: { cookie: cookiesOf(sent) } });
  expect([done.status, await done.text()]).toEqual([200, expect.stringContaining("signed in at web")]);
}

const call = (node: GatewayNode) => node.call("POST /mcp/execute", { tool_name: "web__whoami", args: {} });

/** What holds on every store. */
async function staysOneSignIn(store: Parameters<typeof place>[0]): Promise<void> {
  const { as, server, nodes } = await place(store);
  await signIn(nodes);
  for (const node of nodes) await expect.poll(async () => (await node.call(`GET ${PATH}/status`)).json["healthy"], within).toBe(true);
  for (let round = 1; round <= 3; round++) {
    as.expireAll();
    const before = server.done.length;
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => call(nodes[i % 4]!)));
    expect(answers.filter(({ status, text }) => status !== 200 || !text.includes("refresh_token")).map(({ text }) => text)).toEqual([]);
    expect([as.issued["refresh_token"], server.done.length - before]).toEqual([round, 50]);
  }
  // What is withdrawn is withdrawn at every process.
  as.revokeAll();
  for (const node of nodes) expect((await call(node)).text).toContain("authorization_required");
  const asked = as.seen.length;
  for (const node of nodes) expect((await call(node)).text).toContain("authorization_required");
  expect(as.seen).toHaveLength(asked);
}

describe("four processes that are signed in once", () => {
  let folder: string;
  beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "sallyport-signed-in-"))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("on SQLite spend a rotating refresh token once for fifty calls at a time, and keep the sign-in (F75)", () =>
    staysOneSignIn({ sqlite: join(mkdtempSync(join(folder, "s-")), "gateway.db") }));

  describe.runIf(hasService("mariadb"))("on MariaDB", () => {
    let server: PrivateMariadb | undefined;
    beforeAll(async () => void (server = await privateMariadb()));
    afterAll(() => server?.dispose());
    it("spend a rotating refresh token once for fifty calls at a time, and keep the sign-in (F75)", async () =>
      staysOneSignIn({ mysql: server!.url(await server!.database()) }));
  });
});
