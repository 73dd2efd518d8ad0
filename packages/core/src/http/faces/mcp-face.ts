import type { HttpAnswer } from "../../calls/index.js";
import type { CallOptions } from "../../seams/index.js";
import { originOf } from "../origin.js";
import { callOptions, type Exchange, type Handler } from "../exchange.js";
import { readJsonBytes } from "./json-body.js";
import { decodeParam } from "./params.js";
import { GatewayError } from "../../errors/index.js";

/** One request to an MCP endpoint, read in full. */
export interface McpRequest {
  readonly method: "POST" | "GET" | "DELETE";
  readonly header: (name: string) => string | undefined;
  /** Empty for GET and DELETE. */
  readonly bytes: Uint8Array;
  /** null: every server. */
  readonly namespace: string | null;
  /** One server alone, under its own names; beside a namespace of null. */
  readonly server?: string | undefined;
}
/** What serves MCP; `McpProxy` does. */
export interface McpServing {
  serve(request: McpRequest, o: CallOptions): Promise<HttpAnswer>;
  /** HTTP+SSE; left out: it is not served. */
  readonly streams?:
    | {
        open(o: { readonly namespace: string | null; readonly messagesPath: string }, options: CallOptions): HttpAnswer;
        post(
          message: { readonly id: string; readonly namespace: string | null; readonly bytes: Uint8Array },
          options: CallOptions,
        ): HttpAnswer;
      }
    | undefined;
}

const noBytes = new Uint8Array(0);

export function mcpFace(mcp: McpServing): Readonly<Record<McpRequest["method"], Handler>> {
  const serve = (x: Exchange, method: McpRequest["method"], bytes: Uint8Array): Promise<HttpAnswer> => {
    const namespace = "namespace" in x.params ? decodeParam(x.params, "namespace") : null;
    return mcp.serve(
      { method, header: (name) => x.inbound.header(name), bytes, namespace },
      { ...callOptions(x), origin: originOf(x.inbound, "mcp") },
    );
  };
  return {
    POST: async (x) => serve(x, "POST", await readJsonBytes(x.inbound, x.maxBodyBytes)),
    GET: (x) => serve(x, "GET", noBytes),
    DELETE: (x) => serve(x, "DELETE", noBytes),
  };
}

/** HTTP+SSE, the transport of 2024-11-05. */
export function mcpStreams(mcp: McpServing): { readonly open: Handler; readonly post: Handler } {
  const streams = (): NonNullable<McpServing["streams"]> => {
    if (mcp.streams !== undefined) return mcp.streams;
    throw new GatewayError("not_found", "HTTP+SSE is not served here.");
  };
  const namespaceOf = (x: Exchange): string | null => ("namespace" in x.params ? decodeParam(x.params, "namespace") : null);
  const optionsOf = (x: Exchange): CallOptions => ({ ...callOptions(x), origin: originOf(x.inbound, "mcp") });
  return {
    open: (x) => {
      const namespace = namespaceOf(x);
      const under = namespace === null ? "" : `/ns/${encodeURIComponent(namespace)}`;
      return streams().open({ namespace, messagesPath: `${x.inbound.basePath}${under}/messages` }, optionsOf(x));
    },
    post: async (x) => {
      const id = new URLSearchParams(x.inbound.query).get("sessionId") ?? "";
      const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
      return streams().post({ id, namespace: namespaceOf(x), bytes }, optionsOf(x));
    },
  };
}
