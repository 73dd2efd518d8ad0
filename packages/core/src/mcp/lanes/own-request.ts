import type { Headers } from "../../calls/index.js";
import { META } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import type { Agreement } from "./handshake.js";
import type { Lane, UpstreamRequest } from "./lane.js";

/** A connection that stands: what was agreed on, and the lane to use. */
export interface Connection extends Agreement {
  readonly lane: Lane;
  /** The `_meta` members that every request on it has to carry (without braces); empty before 2026-07-28. */
  readonly meta: string;
}

/** What a request says of its sender since 2026-07-28: always of us, never of the caller behind us. */
export function hopMeta(agreement: Agreement, ourVersion: string): string {
  if (agreement.era === "legacy") return "";
  return [
    `"${META.protocolVersion}":${JSON.stringify(agreement.version)}`,
    `"${META.clientInfo}":{"name":"sallyport","version":${JSON.stringify(ourVersion)}}`,
    // Stands last: see `metaFor`.
    `"${META.clientCapabilities}":${NONE}`,
  ].join(",");
}

/** The same for a request behind which a caller stands that can be asked something: `capabilities` is the JSON text of what it declared and we pass on. */
export function metaFor({ meta }: Connection, capabilities: string | undefined): string {
  return meta === "" || capabilities === undefined ? meta : meta.slice(0, -NONE.length) + capabilities;
}
const NONE = "{}";

export interface OwnRequest {
  readonly method: string;
  /** Members of `params`, as JSON text without braces. */
  readonly params?: string;
  /** Further members of `_meta`. */
  readonly meta?: string;
  readonly subject?: string;
  readonly headers?: Headers;
  /** Ask for progress. */
  readonly progress?: boolean;
  /** JSON text of what the caller behind it can be asked; left out: nothing. */
  readonly capabilities?: string | undefined;
  /** See `UpstreamRequest`. */
  readonly mayBeDeep?: boolean | undefined;
  /** `traceparent` and `tracestate`: in `_meta`, and over HTTP as headers. */
  readonly trace?: Headers;
}

/** Members of `_meta` by which a server joins the trace. Source: MCP, `_meta` keys of W3C Trace Context. */
export function traceMembers(trace: Headers): string[] {
  return trace.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`);
}

/** A request that starts with us and not with a caller's bytes. */
export function ownRequest(connection: Connection, o: OwnRequest): UpstreamRequest {
  return {
    method: o.method,
    subject: o.subject ?? null,
    headers: o.headers ?? [],
    trace: o.trace,
    mayBeDeep: o.mayBeDeep,
    version: connection.era === "modern" ? connection.version : null,
    encode: (id) => {
      const trace = o.trace === undefined ? [] : traceMembers(o.trace);
      const meta = [metaFor(connection, o.capabilities), o.meta ?? "", ...trace, o.progress === true ? `"progressToken":${id}` : ""]
        .filter((part) => part !== "")
        .join(",");
      const params = [o.params ?? "", meta === "" ? "" : `"_meta":{${meta}}`].filter((part) => part !== "").join(",");
      return utf8(`{"jsonrpc":"2.0","id":${id},"method":"${o.method}","params":{${params}}}`);
    },
  };
}
