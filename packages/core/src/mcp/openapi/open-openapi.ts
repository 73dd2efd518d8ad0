import type { Json, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, HttpClient, McpFrame, McpWire, Within } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import { textAt } from "../frames/json-scan.js";
import { idText, member, readMessage, requestPlan, stringMember, type RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import type { OpenApiTarget } from "../server-target.js";
import { buildRequest } from "./build-request.js";
import { loadDocument } from "./load-document.js";
import { operationsOf, type Operations } from "./operations.js";
import { readResult } from "./read-result.js";

/** A longer answer of an API is no use to a model. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** The call's own deadline is kept by who waits for it. */
const CALL_MS = 3_600_000;
const IDLE_MS = 300_000;

export interface OpenApiDeps extends Within {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Log;
  readonly readFile?: ((path: string) => Promise<string | null>) | undefined;
}

/**
 * An HTTP API as a server of tools, spoken to in frames like any other: each operation of its OpenAPI document is a tool. The document is read once; connecting anew reads it anew.
 * Errors: those of `loadDocument`; `misconfigured` when nobody says where the API is, or its document would have credentials sent to another origin than its own.
 */
export async function openOpenApi(target: OpenApiTarget, deps: OpenApiDeps): Promise<McpWire> {
  const { document, url } = await loadDocument(target, deps);
  const api = apiOf(target, document, url);
  const operations = operationsOf(document, target);
  for (const why of operations.rejected) deps.log.warn("an operation of an OpenAPI document is no tool", { why });
  return new ApiWire({ target, api, operations, deps });
}

interface Api {
  readonly base: string;
  readonly trust: "operator" | "untrusted";
}

/** Where calls go. What the operator did not say, but a document from elsewhere, is dialled as untrusted. */
function apiOf(target: OpenApiTarget, document: JsonObject, from: URL | null): Api {
  const isOurs = target.trust === "operator";
  if (target.baseUrl !== undefined) return { base: target.baseUrl, trust: isOurs ? "operator" : "untrusted" };
  const base = serverUrl(document, from);
  if (from === null) return { base: base.href, trust: isOurs ? "operator" : "untrusted" };
  const isSame = base.origin === from.origin;
  if (!isSame && target.headers.length > 0)
    throw new GatewayError(
      "misconfigured",
      "The OpenAPI document names an API of another origin than its own, which would be sent the server's headers.",
      {
        hint: "Say where the API is, in baseUrl.",
      },
    );
  return { base: base.href, trust: isOurs && isSame ? "operator" : "untrusted" };
}

/** The first of the document's servers, its variables at their defaults. */
function serverUrl(document: JsonObject, from: URL | null): URL {
  const [first] = Array.isArray(document["servers"]) ? (document["servers"] as readonly JsonObject[]) : [];
  const variables = (first?.["variables"] ?? {}) as Readonly<Record<string, { readonly default?: unknown } | undefined>>;
  const said = typeof first?.["url"] === "string" ? first["url"] : "/";
  const text = said.replace(/\{([^{}]+)\}/g, (_all, name: string) =>
    String(Object.hasOwn(variables, name) ? variables[name]?.default : ""),
  );
  const base = tryUrl(text, from?.href);
  if (base === null || !/^https?:$/.test(base.protocol) || base.username !== "" || base.password !== "")
    throw new GatewayError("misconfigured", "The OpenAPI document does not say where its API is.", { hint: "Say it in baseUrl." });
  base.search = "";
  base.hash = "";
  return base;
}

function tryUrl(text: string, base: string | undefined): URL | null {
  try {
    return new URL(text, base);
  } catch {
    return null;
  }
}

interface ApiWireOptions {
  readonly target: OpenApiTarget;
  readonly api: Api;
  readonly operations: Operations;
  readonly deps: OpenApiDeps;
}

class ApiWire implements McpWire {
  readonly #o: ApiWireOptions;
  readonly #running = new Map<string, AbortController>();
  #onFrame: (frame: McpFrame) => void = () => undefined;
  #onClose: (why: Error | null) => void = () => undefined;
  #open = true;

  constructor(o: ApiWireOptions) {
    this.#o = o;
  }

  onFrame(handler: (frame: McpFrame) => void): void {
    this.#onFrame = handler;
  }
  onClose(handler: (why: Error | null) => void): void {
    this.#onClose = handler;
  }

  send(frame: McpFrame): Promise<void> {
    if (!this.#open) return Promise.reject(new GatewayError("upstream_unavailable", "The server of this document was closed."));
    const message = readMessage(frame, requestPlan);
    if (message.kind === "request") void this.#answer(message);
    else if (message.method === "notifications/cancelled") {
      const id = member(message.params, "requestId");
      if (id !== null) this.#running.get(textAt(message.bytes, id))?.abort(new GatewayError("cancelled", "The call was cancelled."));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    for (const call of this.#running.values()) call.abort(new GatewayError("cancelled", "The server of this document was closed."));
    this.#onClose(null);
    return Promise.resolve();
  }

  async #answer(message: RpcMessage): Promise<void> {
    const id = idText(message);
    const body = await this.#respond(message, id);
    if (this.#open) this.#onFrame(utf8(`{"jsonrpc":"2.0","id":${id},${body}}`));
  }

  async #respond(message: RpcMessage, id: string): Promise<string> {
    const { operations } = this.#o;
    switch (message.method) {
      case "tools/list": {
        const tools = [...operations.byName.values()].map(({ definition }) => definition);
        return `"result":${JSON.stringify({ resultType: "complete", ttlMs: 0, cacheScope: "public", tools })}`;
      }
      case "tools/call":
        return this.#call(message, id);
      default:
        return rpcError(RPC.methodNotFound, "Method not found");
    }
  }

  async #call(message: RpcMessage, id: string): Promise<string> {
    const name = stringMember(message.bytes, message.params, "name");
    const operation = name === null ? undefined : this.#o.operations.byName.get(name);
    if (operation === undefined) return rpcError(RPC.invalidParams, "There is no such tool");
    const given = member(message.params, "arguments");
    const args = given === null ? {} : (JSON.parse(textAt(message.bytes, given)) as JsonObject);
    const controller = new AbortController();
    this.#running.set(id, controller);
    try {
      const request = buildRequest(operation, args, this.#o.api.base);
      const result = await this.#ask(request, controller.signal);
      return `"result":${JSON.stringify({ resultType: "complete", ...result })}`;
    } catch (error) {
      return `"result":${JSON.stringify(failed(error))}`;
    } finally {
      this.#running.delete(id);
    }
  }

  async #ask({ method, url, headers, body }: ReturnType<typeof buildRequest>, signal: AbortSignal): Promise<JsonObject> {
    const { target, api, deps } = this.#o;
    const own = new Map<string, string>([["accept", "application/json, text/*;q=0.9, */*;q=0.1"], ...headers]);
    // The operator's headers stand over those that a caller may set.
    for (const [name, value] of target.headers) own.set(name, value.reveal());
    const within = { deadlineMs: deps.clock.now() + CALL_MS, signal };
    const response = await deps.http.exchange({ method, url, headers: [...own], body, trust: api.trust, idleMs: IDLE_MS }, within);
    return readResult(response, MAX_ANSWER_BYTES);
  }
}

function rpcError(code: number, message: string): string {
  return `"error":${JSON.stringify({ code, message })}`;
}

/** What went wrong is told to who called: it can be mended with other arguments, or tried again. */
function failed(error: unknown): Json {
  const { code, message } = GatewayError.from(error);
  const text = code === "internal" ? "The call failed." : message;
  return { resultType: "complete", isError: true, content: [{ type: "text", text }], _meta: { "sallyport/error": code } };
}
