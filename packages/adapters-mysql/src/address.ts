import { GatewayError } from "@sallyport/core/ports";
import type { PoolOptions, SslOptions } from "mysql2";

export interface TlsOptions {
  /** The certificate of the authority that signed the server's, PEM; left out: those that Node knows. */
  readonly ca?: string;
  /** Of this client, PEM, where the server wants one. */
  readonly cert?: string;
  readonly key?: string;
  /** false: neither the certificate nor the name in it is looked at. Only for tests. */
  readonly verify?: boolean;
}

/** Where a database is, as the driver takes it, and in words without a password. */
export interface Address {
  readonly options: Pick<PoolOptions, "host" | "port" | "user" | "password" | "database" | "socketPath" | "ssl">;
  readonly words: string;
}

const wrong = (what: string): GatewayError =>
  new GatewayError("misconfigured", what, {
    hint: "Write it as mysql://user:password@host:3306/database, with ?tls=true for TLS, or ?socket=/path/to/socket.",
    details: { setting: "storage.url", outcome: "none" },
  });

function sslOf(tls: TlsOptions): SslOptions {
  const { ca, cert, key, verify = true } = tls;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: verify,
    verifyIdentity: verify,
  };
}

function tlsOf(url: URL, tls: TlsOptions | boolean | undefined): TlsOptions | null {
  if (tls !== undefined) return tls === true ? {} : tls === false ? null : tls;
  const wanted = url.searchParams.get("tls");
  if (wanted === null || wanted === "false") return null;
  if (wanted === "true") return {};
  if (wanted === "no-verify") return { verify: false };
  throw wrong('The database URL has a "tls" that is neither true, false nor no-verify.');
}

/** Errors: `misconfigured` for what is no URL of a MySQL database. */
export function addressOf(text: string, tls?: TlsOptions | boolean): Address {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["mysql:", "mariadb:"].includes(url.protocol)) throw wrong("The database URL is not one of MySQL.");
  for (const name of url.searchParams.keys())
    if (name !== "tls" && name !== "socket") throw wrong(`The database URL has the parameter "${name}", which means nothing here.`);
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === "") throw wrong("The database URL names no database.");
  const socket = url.searchParams.get("socket");
  const secure = tlsOf(url, tls);
  const user = decodeURIComponent(url.username);
  const port = url.port === "" ? 3306 : Number(url.port);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return {
    options: {
      ...(socket === null ? { host, port } : { socketPath: socket }),
      ...(user === "" ? {} : { user }),
      ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
      database,
      ...(secure === null ? {} : { ssl: sslOf(secure) }),
    },
    words: `user "${user}" at ${socket ?? `${host}:${port}`}, database "${database}"`,
  };
}
