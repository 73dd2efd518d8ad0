import type { Answer, HttpAnswer, Json, JsonObject, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ToolOperation } from "../../calls/call-head.js";
import type { LiveCall } from "../../policy/live-call.js";
import { parseJson, parseJsonText } from "../../util/json.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName, locate, locateUri, type Located } from "../catalogue/view.js";
import { textAt, type JsonNode } from "../frames/json-scan.js";
import { member, stringMember } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { replaceWith, utf8, concat, type Edit } from "../frames/splice.js";
import { argumentsOf } from "../tool-events.js";
import { traceOf } from "../tool-exchange.js";
import { authoriseReading, type ToolPolicy } from "../tool-policy.js";
import { LISTS, type ListKind } from "../upstream/list-entries.js";
import { relayReply, relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { JSON_HEADERS, errorAnswer, jsonAnswer, resultBytes, resultHead } from "./respond.js";

export interface OtherCallsOptions {
  readonly catalogue: Catalogue;
  readonly policy: ToolPolicy;
  readonly version: string;
}

const CLOSE = utf8("}");

/** The lists, and what is read rather than called: prompts, resources, completions. */
export class OtherCalls {
  readonly #o: OtherCallsOptions;
  constructor(options: OtherCallsOptions) {
    this.#o = options;
  }

  /** One page holds everything. A list is answered with what is there; servers that just start are waited for a little. */
  async list(rpc: RpcCall, kind: ListKind): Promise<HttpAnswer> {
    if (member(rpc.message.params, "cursor") !== null)
      throw new GatewayError("validation_failed", "There is no such cursor: lists come in one page.");
    const starting = this.#o.catalogue.started();
    if (starting !== null) await starting;
    const entries = this.#o.catalogue.encoded(kind, rpc.view, rpc.o.caller);
    const head = resultHead(rpc.era, this.#o.version, { cacheable: true });
    const open = utf8(`{"jsonrpc":"2.0","id":${rpc.id},"result":{${head}${head === "" ? "" : ","}"${kind}":`);
    return jsonAnswer(200, concat([open, entries, CLOSE, CLOSE]));
  }

  /** Errors: `validation_failed`, `forbidden`, `not_found`, and those of the way. */
  async getPrompt(rpc: RpcCall): Promise<HttpAnswer> {
    const name = stringMember(rpc.message.bytes, rpc.message.params, "name");
    if (name === null) throw new GatewayError("validation_failed", 'prompts/get needs the prompt\'s "name", a string.');
    const located = this.#known(locate(rpc.view, name));
    if (located === null) throw noPrompt(name);
    const args = member(rpc.message.params, "arguments");
    if (args !== null && rpc.message.bytes[args.start] !== 0x7b)
      throw new GatewayError("validation_failed", '"arguments" is not an object.');
    return this.#relay(rpc, located, {
      operation: "prompt",
      name: { node: member(rpc.message.params, "name")! },
      text: args === null ? null : { whole: args },
    });
  }

  async readResource(rpc: RpcCall): Promise<HttpAnswer> {
    const uri = stringMember(rpc.message.bytes, rpc.message.params, "uri");
    if (uri === null) throw new GatewayError("validation_failed", 'resources/read needs the resource\'s "uri", a string.');
    const located = this.#known(locateUri(rpc.view, uri));
    // The number moved with the eras; the URI in `data` tells this from other invalid parameters.
    if (located === null)
      return errorAnswer(200, rpc.id, {
        code: rpc.era === "modern" ? RPC.invalidParams : RPC.resourceNotFound,
        message: "There is no such resource.",
        data: { uri },
      });
    // A URI may say as much as arguments do.
    return this.#relay(rpc, located, { operation: "read", name: { node: member(rpc.message.params, "uri")!, key: "uri" }, text: null });
  }

  async complete(rpc: RpcCall): Promise<HttpAnswer> {
    const { bytes, params } = rpc.message;
    const ref = member(params, "ref");
    const type = stringMember(bytes, ref, "type");
    const key = type === "ref/prompt" ? "name" : type === "ref/resource" ? "uri" : null;
    const value = key === null ? null : stringMember(bytes, ref, key);
    if (key === null || value === null)
      throw new GatewayError("validation_failed", 'completion/complete needs a "ref" to a prompt by name or to a resource by uri.');
    const located = this.#known(key === "name" ? locate(rpc.view, value) : locateUri(rpc.view, value));
    if (located === null) throw new GatewayError("not_found", "There is no such prompt or resource.");
    const said = ["argument", "context"].flatMap((name) => {
      const node = member(params, name);
      return node === null ? [] : [[name, node] as const];
    });
    return this.#relay(rpc, located, { operation: "complete", name: { node: member(ref, key)! }, text: { members: said } });
  }

  #known(located: Located | null): Located | null {
    return located === null || this.#o.catalogue.get(located.server) === undefined ? null : located;
  }

  async #relay(rpc: RpcCall, located: Located, said: Said): Promise<HttpAnswer> {
    const { server, name } = located;
    const text = argumentsText(rpc.message.bytes, located, said);
    const head: ToolHead = {
      ...{ kind: "tool", name: fullName(server, name), server, tool: name, operation: said.operation },
      bytes: said.text === null ? 0 : text().length,
    };
    const call = this.#o.policy.open({ head, o: rpc.o, signal: rpc.signal, arguments: text });
    const { status, headers, body, done } = await this.#o.policy.run(call, () => this.#read(rpc, call, { located, said }));
    if (body.kind === "events") throw new GatewayError("internal", "What is read has no events.");
    return { status, headers, body, done };
  }

  async #read(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    { located, said }: { readonly located: Located; readonly said: Said },
  ): Promise<Answer<ToolEvent>> {
    const edits = editsOf(call, located, said);
    if (edits.subject !== located.name) authoriseReading(rpc.o, fullName(located.server, edits.subject));
    const subject = said.operation === "complete" ? null : edits.subject;
    const relayed = { message: rpc.message, edits: edits.edits, subject, progress: false, logLevel: null, trace: traceOf(call) };
    call.meter.attempts++;
    call.meter.provider = located.server;
    const { reply, connection } = await this.#o.catalogue
      .get(located.server)!
      .exchange((to) => relayRequest(to, relayed), { deadlineMs: call.deadlineMs, signal: call.signal, owner: rpc.o.caller.id });
    if (reply.error !== null) call.failed("tool_failed");
    const { id, era, view } = rpc;
    const { version } = this.#o;
    const bytes = relayReply(reply, connection, { id, era, view, server: located.server, version, cacheable: said.operation === "read" });
    const guard = reply.error === null ? this.#o.policy.reading(call) : null;
    return { status: 200, headers: JSON_HEADERS, body: { kind: "bytes", bytes: guard === null ? bytes : await guarded(bytes, guard) } };
  }
}

/** What a call says beside the name of what it reads: one object, some members of the parameters, or, with a key, the name itself. */
interface Said {
  readonly operation: Exclude<ToolOperation, "call">;
  readonly name: { readonly node: JsonNode; readonly key?: string };
  readonly text: { readonly whole: JsonNode } | { readonly members: readonly (readonly [string, JsonNode])[] } | null;
}

/** As the JSON text of an object, for whoever looks at arguments. */
function argumentsText(bytes: Uint8Array, located: Located, { name, text }: Said): () => string {
  return () => {
    if (text === null) return name.key === undefined ? "{}" : JSON.stringify({ [name.key]: located.name });
    if ("whole" in text) return textAt(bytes, text.whole);
    return `{${text.members.map(([key, node]) => `"${key}":${textAt(bytes, node)}`).join(",")}}`;
  };
}

/** The name as its server knows it, and what a step put in the place of what was said. */
function editsOf(
  call: LiveCall<ToolHead>,
  located: Located,
  { name, text }: Said,
): { readonly edits: readonly Edit[]; readonly subject: string } {
  let subject = located.name;
  const edits: Edit[] = [];
  if (call.isReplaced) {
    const left = argumentsOf(call);
    if (text !== null && "whole" in text) edits.push(replaceWith(text.whole, left));
    else {
      const values = parseJsonText(left) as JsonObject;
      if (text === null) subject = name.key === undefined ? subject : (leftOf(values, name.key) as string);
      else for (const [key, node] of text.members) edits.push(replaceWith(node, JSON.stringify(leftOf(values, key))));
    }
  }
  return { edits: [...edits, replaceWith(name.node, JSON.stringify(subject))], subject };
}

/** Errors: `content_blocked` when the guardrails left nothing of it. */
function leftOf(values: JsonObject, key: string): Json {
  const value = values[key];
  if (value !== undefined) return value;
  throw new GatewayError("content_blocked", "The guardrails left nothing of what was asked for.");
}

/** What is read, as policy leaves it: as it came when policy changed nothing. */
async function guarded(bytes: Uint8Array, guard: (raw: JsonObject) => Promise<JsonObject>): Promise<Uint8Array> {
  const message = parseJson(bytes) as { readonly result: JsonObject };
  const result = await guard(message.result);
  return result === message.result ? bytes : utf8(JSON.stringify({ ...message, result }));
}

function noPrompt(name: string): GatewayError {
  return new GatewayError("not_found", `There is no prompt "${name.slice(0, 200)}".`, { hint: "List the prompts to see which there are." });
}

/** An empty result: the answer to `ping` and to what is only acknowledged. */
export function acknowledged(rpc: RpcCall, version: string): HttpAnswer {
  return jsonAnswer(200, resultBytes(rpc.id, utf8(`{${resultHead(rpc.era, version, { cacheable: false })}}`)));
}

const listMethods: ReadonlyMap<string, ListKind> = new Map((Object.keys(LISTS) as ListKind[]).map((kind) => [LISTS[kind].method, kind]));
export function listKindOf(method: string): ListKind | undefined {
  return listMethods.get(method);
}
