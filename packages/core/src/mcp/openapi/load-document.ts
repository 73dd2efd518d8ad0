import type { JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { HttpClient, Within } from "../../ports/index.js";
import type { OpenApiTarget } from "../server-target.js";

/** A larger document is a mistake, or an attack. */
const MAX_DOCUMENT_BYTES = 8 * 1024 * 1024;
const IDLE_MS = 15_000;

export interface LoadOptions extends Within {
  readonly http: HttpClient;
  /** null: there is no such file. Left out where there are none. */
  readonly readFile?: ((path: string) => Promise<string | null>) | undefined;
}
export interface LoadedDocument {
  readonly document: JsonObject;
  /** Where it was read; null: it was given, or is a file. */
  readonly url: URL | null;
}

/**
 * The document, with its references as they are. Nothing that it refers to elsewhere is ever read, neither from the network nor from files (T18).
 * Errors: `misconfigured` for what is no OpenAPI 3 document, `missing_dependency`, those of the dialer and of the address.
 */
export async function loadDocument(target: OpenApiTarget, o: LoadOptions): Promise<LoadedDocument> {
  const { spec } = target;
  if (typeof spec !== "string") return { document: assertOpenApi3(spec), url: null };
  const isUrl = /^https?:\/\//i.test(spec);
  const url = isUrl ? new URL(spec) : null;
  const text = url === null ? await readText(spec, o) : await download(url, target, o);
  return { document: assertOpenApi3(await parsed(text)), url };
}

async function readText(path: string, o: LoadOptions): Promise<string> {
  const text = (await o.readFile?.(path)) ?? null;
  if (text === null)
    throw new GatewayError("misconfigured", `There is no OpenAPI document at "${path}".`, { hint: "Give the path of a file, or a URL." });
  if (text.length > MAX_DOCUMENT_BYTES) throw tooLarge();
  return text;
}

async function download(url: URL, target: OpenApiTarget, o: LoadOptions): Promise<string> {
  const headers: (readonly [string, string])[] = [["accept", "application/json, application/yaml, text/yaml, */*"]];
  if (target.baseUrl === undefined || new URL(target.baseUrl).origin === url.origin)
    for (const [name, value] of target.headers) headers.push([name, value.reveal()]);
  const trust = target.trust === "operator" ? "operator" : "untrusted";
  const request = { method: "GET", url: url.href, headers, body: null, trust, idleMs: IDLE_MS, endByMs: o.deadlineMs } as const;
  const response = await o.http.exchange(request, o);
  if (response.status !== 200) {
    response.discard();
    const { status } = response;
    const code = status === 401 || status === 403 ? "upstream_credential" : status >= 500 ? "upstream_unavailable" : "upstream_rejected";
    throw new GatewayError(code, `The address of the OpenAPI document answered with status ${status}.`, { details: { status } });
  }
  try {
    return new TextDecoder().decode(await response.bytes(MAX_DOCUMENT_BYTES));
  } catch (error) {
    throw GatewayError.is(error, "payload_too_large") ? tooLarge() : error;
  }
}

function tooLarge(): GatewayError {
  return new GatewayError("misconfigured", `The OpenAPI document is larger than ${MAX_DOCUMENT_BYTES} bytes.`, {
    hint: "Take a smaller one, or cut it into several servers.",
  });
}

/** JSON is read by JSON's own rules; everything else is YAML, whose aliases may not multiply. */
async function parsed(text: string): Promise<unknown> {
  try {
    if (text.trimStart().startsWith("{")) return JSON.parse(text) as unknown;
    const { parse } = await yaml();
    return parse(text, { maxAliasCount: 100 }) as unknown;
  } catch (cause) {
    if (GatewayError.is(cause)) throw cause;
    throw new GatewayError("misconfigured", "The OpenAPI document could not be read.", { cause, hint: "It is JSON or YAML." });
  }
}

async function yaml() {
  try {
    return await import("yaml");
  } catch (cause) {
    throw new GatewayError("missing_dependency", "An OpenAPI document in YAML needs the package yaml, which could not be loaded.", {
      cause,
      hint: "npm install yaml, or give the document as JSON.",
    });
  }
}

function assertOpenApi3(document: unknown): JsonObject {
  const version = typeof document === "object" && document !== null ? (document as JsonObject)["openapi"] : undefined;
  if (typeof version === "string" && version.startsWith("3.")) return document as JsonObject;
  throw new GatewayError("misconfigured", "This is no OpenAPI 3 document.", {
    hint: "Convert documents of Swagger 2.0 to OpenAPI 3 first.",
  });
}
