import type { HttpAnswer } from "../../calls/index.js";
import type { CallOptions } from "../../seams/index.js";
import { originOf } from "../origin.js";
import { callOptions, type Exchange, type Handler } from "../exchange.js";
import { readJsonBytes } from "./json-body.js";
import { decodeParam } from "./params.js";

/** One request to an MCP endpoint, read in full. */
export interface McpRequest {
  readonly method: "POST" | "GET" | "DELETE";
  readonly header: (name: string) => string | undefined;
  /** Empty for GET and DELETE. */
  readonly bytes: Uint8Array;
  /** null: every server. */
  readonly namespace: string | null;
}
/** What serves MCP; `McpProxy` does. */
export interface McpServing {
  serve(request: McpRequest, o: CallOptions): Promise<HttpAnswer>;
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
