import { lookup as systemLookup, type LookupAddress } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import type { buildConnector } from "undici";
import { GatewayError } from "../../errors/index.js";
import { refusalOf } from "./address-guard.js";

/** Every address of a host name. */
export type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

export interface ConnectorOptions {
  /** Only public addresses are dialled. */
  readonly publicOnly: boolean;
  /** Left out: the system's resolver. */
  readonly resolve?: Resolve | undefined;
  readonly connectMs: number;
}

/**
 * Dials by what it resolved itself: the name is looked up once a connection, every candidate is judged, and the socket gets exactly those addresses, so that a
 * second answer of the name server changes nothing. A name with one refused address is refused whole.
 */
export function guardedConnector(build: typeof buildConnector, o: ConnectorOptions): buildConnector.connector {
  const connect = build({ timeout: o.connectMs, lookup: guardedLookup(o) });
  if (!o.publicOnly) return connect;
  return (target, callback) => {
    // A literal address is never looked up.
    const bare = target.hostname.replace(/^\[(.*)\]$/, "$1");
    const why = isIP(bare) === 0 ? null : refusalOf(bare);
    if (why === null) connect(target, callback);
    else callback(addressRefused(bare, why), null);
  };
}

function guardedLookup(o: ConnectorOptions): LookupFunction {
  const resolve = o.resolve ?? resolveBySystem;
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (all) => {
        const error = judge(hostname, all, o.publicOnly);
        const fitting = all.filter(({ family }) => (options.family !== 4 && options.family !== 6 ? true : family === options.family));
        if (error !== null) callback(error, []);
        else if (fitting.length === 0) callback(Object.assign(new Error("No address."), { code: "ENOTFOUND" }), []);
        else if (options.all === true) callback(null, [...fitting]);
        else callback(null, fitting[0]!.address, fitting[0]!.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function judge(hostname: string, candidates: readonly LookupAddress[], publicOnly: boolean): GatewayError | null {
  if (!publicOnly) return null;
  for (const { address } of candidates) {
    const why = refusalOf(address);
    if (why !== null) return addressRefused(hostname, why);
  }
  return null;
}

function resolveBySystem(host: string): Promise<readonly LookupAddress[]> {
  return new Promise((resolve, reject) => {
    systemLookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });
}

function addressRefused(host: string, why: string): GatewayError {
  return new GatewayError("address_refused", `"${host}" is not a public address (${why}), and the operator has not configured it.`, {
    hint: "Use a public address, or have the operator put this server into the configuration or set network.allowPrivate.",
    details: { host, reason: why },
  });
}
