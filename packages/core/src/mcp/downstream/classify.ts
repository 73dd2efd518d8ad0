import { stringMember, member, valueMember, type RpcMessage } from "../frames/message.js";
import { LEGACY_VERSIONS, META, MODERN_VERSION, RPC, isModern, severity } from "../frames/protocol.js";
import { decodeHeaderValue } from "../lanes/http-headers.js";
import type { RpcError } from "./respond.js";

/** What a message must not be served for, and the HTTP status to say it with. */
export interface Refusal {
  readonly status: number;
  readonly error: RpcError;
}
export type Classified =
  | { readonly era: "legacy"; readonly version: string | null }
  | { readonly era: "modern"; readonly logLevel: string | null }
  | { readonly era: "refused"; readonly refusal: Refusal };

type Header = (name: string) => string | undefined;

/** Which member of `params` the `Mcp-Name` header repeats. */
const subjects: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
  "tasks/get": "taskId",
  "tasks/update": "taskId",
  "tasks/cancel": "taskId",
};

/**
 * Which era a posted message belongs to, and whether its headers agree with it. The body decides; a header never does, it can only disagree.
 * Source: MCP 2026-07-28, Streamable HTTP, "Standard Request Headers" and "Server Validation"; the order of checks is that of the official SDK.
 */
export function classify(message: RpcMessage, header: Header): Classified {
  const named = trimmed(header("mcp-protocol-version"));
  const meta = member(message.params, "_meta");
  const claim = member(meta, META.protocolVersion);
  if (claim === null) return withoutClaim(message, named);
  const version = stringMember(message.bytes, meta, META.protocolVersion);
  if (version === null) return invalidEnvelope(`${META.protocolVersion} is not a string`);
  if (message.method === "initialize" && !isModern(version)) return { era: "legacy", version: named };
  if (named !== null && named !== version)
    return mismatch(`the body names revision ${version} and the MCP-Protocol-Version header another`, "MCP-Protocol-Version");
  if (version !== MODERN_VERSION) return unsupported(version, [MODERN_VERSION]);
  const capabilities = member(meta, META.clientCapabilities);
  if (capabilities === null)
    return message.kind === "request" ? invalidEnvelope(`${META.clientCapabilities} is missing`) : { era: "modern", logLevel: null };
  if (message.bytes[capabilities.start] !== 0x7b) return invalidEnvelope(`${META.clientCapabilities} is not an object`);
  const disagrees = headersDisagree(message, header, named);
  if (disagrees !== null) return disagrees;
  const level = valueMember(message.bytes, meta, META.logLevel);
  if (level !== undefined && (typeof level !== "string" || severity(level) < 0))
    return invalidEnvelope(`${META.logLevel} is not a log level`);
  return { era: "modern", logLevel: level ?? null };
}

function withoutClaim(message: RpcMessage, named: string | null): Classified {
  if (named === null) return { era: "legacy", version: null };
  if (!isModern(named)) {
    if ((LEGACY_VERSIONS as readonly string[]).includes(named) || message.method === "initialize") return { era: "legacy", version: named };
    return unsupported(named, [MODERN_VERSION, ...LEGACY_VERSIONS]);
  }
  if (message.method === "initialize")
    return mismatch("initialize belongs to revisions before the one that the MCP-Protocol-Version header names", "MCP-Protocol-Version");
  if (message.kind === "request")
    return invalidEnvelope(`${META.protocolVersion} and ${META.clientCapabilities} are missing from params._meta`);
  return named === MODERN_VERSION ? { era: "modern", logLevel: null } : unsupported(named, [MODERN_VERSION]);
}

function headersDisagree(message: RpcMessage, header: Header, named: string | null): Classified | null {
  const method = trimmed(header("mcp-method"));
  if (method !== null && method !== message.method)
    return mismatch(`the body names the method ${message.method} and the Mcp-Method header another`, "Mcp-Method");
  if (message.kind !== "request") return null;
  if (named === null) return mismatch("the MCP-Protocol-Version header is missing", "MCP-Protocol-Version");
  if (method === null) return mismatch("the Mcp-Method header is missing", "Mcp-Method");
  const source = Object.hasOwn(subjects, message.method) ? subjects[message.method]! : null;
  const subject = source === null ? null : stringMember(message.bytes, message.params, source);
  if (subject === null) return null;
  const name = header("mcp-name");
  if (name === undefined) return mismatch(`the Mcp-Name header is missing, which repeats params.${source}`, "Mcp-Name");
  const decoded = decodeHeaderValue(name);
  if (decoded === null) return mismatch("the Mcp-Name header is not valid base64 of UTF-8", "Mcp-Name");
  return decoded === subject ? null : mismatch(`params.${source} of the body and the Mcp-Name header differ`, "Mcp-Name");
}

function trimmed(value: string | undefined): string | null {
  return value === undefined ? null : value.replace(/^[ \t]+/, "").replace(/[ \t]+$/, "");
}

function refused(status: number, error: RpcError): Classified {
  return { era: "refused", refusal: { status, error } };
}
export function mismatch(what: string, header: string): Classified & { readonly era: "refused" } {
  const error = { code: RPC.headerMismatch, message: `The request's headers and body disagree: ${what}.`, data: { header } };
  return { era: "refused", refusal: { status: 400, error } };
}
function unsupported(requested: string, supported: readonly string[]): Classified {
  return refused(400, {
    code: RPC.unsupportedVersion,
    message: `The protocol version ${requested.slice(0, 40)} is not supported.`,
    data: { supported, requested: requested.slice(0, 40) },
  });
}
function invalidEnvelope(what: string): Classified {
  return refused(400, { code: RPC.invalidParams, message: `The request's _meta is not valid for revision ${MODERN_VERSION}: ${what}.` });
}
