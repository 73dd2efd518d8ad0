import { Gateway } from "../../src/gateway.js";
import type { GatewayOptions } from "../../src/gateway-options.js";

export const OWNER_KEY = "owner-key-of-the-access-tests-5e2c91aa";
export const PASSWORD = "correct horse battery";

/** A real gateway in memory, without upstreams but the demo model. */
export async function gatewayOf(options: GatewayOptions = {}): Promise<Gateway> {
  const gateway = new Gateway({ ownerKey: OWNER_KEY, env: {}, log: () => undefined, mcpServers: {}, ...options });
  await gateway.start();
  return gateway;
}

export interface CallOptions {
  readonly method?: string;
  /** null: no key. */
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly host?: string;
}
export function call(gateway: Gateway, path: string, o: CallOptions = {}): Promise<Response> {
  const { method = o.body === undefined ? "GET" : "POST", key = OWNER_KEY, body, host = "localhost:4747" } = o;
  return gateway.fetch(
    new Request(`http://${host}${path}`, {
      method,
      redirect: "manual",
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), "content-type": "application/json", ...o.headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    }),
  );
}
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export async function json(response: Response): Promise<any> {
  return response.json();
}

/** A browser: keeps cookies, and sends what browsers send of their own accord. */
export class Browser {
  readonly cookies = new Map<string, string>();
  csrf: string | null = null;

  constructor(
    readonly gateway: Gateway,
    readonly host = "localhost:4747",
  ) {}

  async send(path: string, o: CallOptions = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const own = { "sec-fetch-site": "same-origin", ...(cookie === "" ? {} : { cookie }) };
    const token = this.csrf === null ? {} : { "x-sallyport-csrf": this.csrf };
    const response = await call(this.gateway, path, { key: null, host: this.host, ...o, headers: { ...own, ...token, ...o.headers } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ""] = line.split(";");
      const at = pair.indexOf("=");
      if (line.includes("Max-Age=0;") || line.endsWith("Max-Age=0")) this.cookies.delete(pair.slice(0, at));
      else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return response;
  }

  async login(username: string, password = PASSWORD): Promise<Response> {
    const response = await this.send("/api/v1/login", { body: { username, password } });
    if (response.ok) this.csrf = (await json(response.clone())).csrf_token as string;
    return response;
  }
}
