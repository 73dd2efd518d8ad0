import { lyingAuthorizationServer, protectedMcpServer } from "@sallyport/adapter-kit";
import { onTestFinished } from "vitest";
import type { GatewayOptions } from "../../../src/gateway-options.js";
import type { Gateway } from "../../../src/gateway.js";
import type { Agreed, BegunSignIn } from "../../../src/mcp/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../../src/testing/index.js";
import { Browser } from "../../access/harness.js";

/** An authorization server, an MCP server that it protects, and gateways that sign in there; everything is closed when the test is over. */
export async function world() {
  const as = await lyingAuthorizationServer();
  const server = await protectedMcpServer((token) => as.look(token));
  onTestFinished(async () => {
    await server.close();
    await as.close();
  });
  const gateway = async (auth: Record<string, unknown>, options: GatewayOptions = {}): Promise<Gateway> => {
    const made = await createTestGateway({
      mcpServers: { web: { url: server.url, auth: { type: "oauth", ...auth } as never } },
      ...options,
    });
    onTestFinished(() => made.close({ graceMs: 0 }));
    return made;
  };
  return { as, server, gateway };
}
export type World = Awaited<ReturnType<typeof world>>;

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: () => Record<string, unknown>;
}

/** One request to a gateway, as its owner unless `headers` say otherwise. */
export async function ask(
  gateway: Gateway,
  [method, path]: readonly [method: string, path: string],
  o: { readonly body?: unknown; readonly headers?: Record<string, string> } = {},
): Promise<Answered> {
  const headers = {
    authorization: `Bearer ${TEST_OWNER_KEY}`,
    ...(o.body === undefined ? {} : { "content-type": "application/json" }),
    ...o.headers,
  };
  const response = await gateway.fetch(
    new Request(`http://localhost${path}`, { method, headers, ...(o.body === undefined ? {} : { body: JSON.stringify(o.body) }) }),
  );
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as Record<string, unknown> };
}

/** What the authorization server sends a browser back with: its user agrees at once. */
export async function agreed(authorizationUrl: string): Promise<URL> {
  const response = await fetch(authorizationUrl, { redirect: "manual" });
  await response.body?.cancel();
  return new URL(response.headers.get("location") ?? "http://nowhere.invalid");
}

/** Somebody with the starter's code agrees, through code: where the browser is sent, and what it keeps. */
export async function consented(gateway: Gateway, { authorizationUrl, confirmationCode: code }: BegunSignIn): Promise<Agreed> {
  const ticket = new URL(authorizationUrl).pathname.split("/").at(-1)!;
  return gateway.mcp.oauth.agree(ticket, { caller: null, code });
}

/** A whole sign-in for all callers, through code. */
export async function signIn(gateway: Gateway, name = "web"): Promise<void> {
  const begun = await gateway.mcp.oauth.start(name, { base: "http://localhost", by: "ada" });
  const { authorizationUrl, cookie } = await consented(gateway, begun);
  const back = await agreed(authorizationUrl);
  await gateway.mcp.oauth.finish(back.searchParams, () => cookie);
}

/** The browser of somebody who was given the address of a sign-in. */
export class Visitor {
  readonly browser: Browser;
  constructor(
    readonly gateway: Gateway,
    { host = "localhost", headers = {} }: { readonly host?: string; readonly headers?: Record<string, string> } = {},
  ) {
    this.browser = new Browser(gateway, host);
    this.#headers = headers;
  }
  readonly #headers: Record<string, string>;

  /** The page that asks. */
  show(link: string): Promise<Response> {
    return this.browser.send(new URL(link).pathname, { headers: this.#headers });
  }

  /** Sends what the page's form has, with `code` typed in where it is given. */
  async agree(
    link: string,
    code: string | null,
    o: { readonly headers?: Record<string, string>; readonly form?: string } = {},
  ): Promise<Response> {
    const text = await (await this.show(link)).text();
    const form = o.form ?? /name="form" value="([^"]*)"/.exec(text)?.[1] ?? "";
    const body = new URLSearchParams({ form, ...(code === null ? {} : { code }) }).toString();
    const own = { "content-type": "application/x-www-form-urlencoded", origin: `http://${this.browser.host}` };
    return this.browser.send(new URL(link).pathname, { method: "POST", body, headers: { ...own, ...this.#headers, ...o.headers } });
  }

  /** The authorization server sends the browser back. */
  comeBack({ pathname, search }: URL): Promise<Response> {
    const headers = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", ...this.#headers };
    return this.browser.send(`${pathname}${search}`, { headers });
  }

  /** All of it. */
  async signIn(link: string, code: string | null = null): Promise<Response> {
    const sent = await this.agree(link, code);
    return this.comeBack(await agreed(sent.headers.get("location") ?? "http://nowhere.invalid"));
  }
}

export async function whoami(gateway: Gateway, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  const result = await gateway.mcp.call("web__whoami", args as never);
  const [part] = result.raw["content"] as { text: string }[];
  return JSON.parse(part!.text) as Record<string, unknown>;
}

/** Resolves when it holds; looks again with every turn of the event loop that a timer takes. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10));
}
