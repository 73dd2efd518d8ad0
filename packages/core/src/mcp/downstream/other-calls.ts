import type { Answer, HttpAnswer, Json, JsonObject, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ToolOperation } from "../../calls/call-head.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import { parseJsonText } from "../../util/json.js";
import type { EventHub } from "../../seams/index.js";
import type { Bridge } from "../bridge/bridge.js";
import type { SendOptions } from "../bridge/bridged-call.js";
import type { Replied } from "../bridge/held-call.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName, locate, locateUri, type Located } from "../catalogue/view.js";
import { textAt, type JsonNode } from "../frames/json-scan.js";
import { member, stringMember, type RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { replaceWith, utf8, type Edit } from "../frames/splice.js";
import { argumentsOf } from "../tool-events.js";
import { traceOf } from "../tool-exchange.js";
import { guardedExchange } from "../resilience/guarded-exchange.js";
import { guardedRequest } from "../policy/guarded-request.js";
import { authoriseReading, type ToolPolicy } from "../tool-policy.js";
import { LISTS, type ListKind } from "../upstream/list-entries.js";
import { isPlainRead } from "../upstream/read-cache.js";
import type { Upstream } from "../upstream/upstream.js";
import { bridgedBytes, lacksCapability, noteBridged, retried } from "./bridged-answer.js";
import type { KeptText, LongResults } from "../results/long-results.js";
import { readBytes } from "../results/read-bytes.js";
import { relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { errorAnswer, jsonAnswer, resultBytes, resultHead } from "./respond.js";
import { answerSoon } from "./tool-stream.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

export interface OtherCallsOptions {
  readonly catalogue: Catalogue;
  readonly policy: ToolPolicy;
  readonly results: LongResults;
  readonly clock: Clock;
  readonly bridge: Bridge;
  readonly events: EventHub;
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
    const { catalogue } = this.#o;
    const { caller } = rpc.o;
    const starting = catalogue.ready(rpc.view, rpc.o);
    if (starting !== null) await starting;
    const view = catalogue.seenBy(rpc.view, caller);
    const entries = catalogue.encoded(kind, view, caller);
    const keepMs = rpc.era === "legacy" ? null : catalogue.keepMs(kind, view, caller);
    const head = resultHead(rpc.era, this.#o.version, { keepMs });
    const open = utf8(`{"jsonrpc":"2.0","id":${rpc.id},"result":{${head}${head === "" ? "" : ","}"${kind}":`);
    return jsonAnswer(200, joinBytes([open, entries, CLOSE, CLOSE]));
  }

  /** Errors: `validation_failed`, `forbidden`, `not_found`, and those of the way. */
  async getPrompt(rpc: RpcCall): Promise<HttpAnswer> {
    const name = stringMember(rpc.message.bytes, rpc.message.params, "name");
    if (name === null) throw new GatewayError("validation_failed", 'prompts/get needs the prompt\'s "name", a string.');
    const located = this.#known(await this.#prompt(rpc, name));
    if (located === null) throw noPrompt(name);
    const args = member(rpc.message.params, "arguments");
    if (args !== null && rpc.message.bytes[args.start] !== 0x7b)
      throw new GatewayError("validation_failed", '"arguments" is not an object.');
    return this.#relay(rpc, located, ({ params }) => {
      const whole = member(params, "arguments");
      return { operation: "prompt", name: { node: member(params, "name")! }, text: whole === null ? null : { whole } };
    });
  }

  async readResource(rpc: RpcCall): Promise<HttpAnswer> {
    const uri = stringMember(rpc.message.bytes, rpc.message.params, "uri");
    if (uri === null) throw new GatewayError("validation_failed", 'resources/read needs the resource\'s "uri", a string.');
    const kept = await this.#o.results.read(uri, rpc.o.caller);
    if (kept !== undefined && kept !== null) return this.#keptResult(rpc, uri, kept);
    const located = this.#known(locateUri(rpc.view, uri));
    // The number moved with the eras; the URI in `data` tells this from other invalid parameters.
    if (located === null)
      return errorAnswer(200, rpc.id, {
        code: rpc.era === "modern" ? RPC.invalidParams : RPC.resourceNotFound,
        message: "There is no such resource.",
        data: { uri },
      });
    // A URI may say as much as arguments do.
    return this.#relay(rpc, located, ({ params }) => ({
      operation: "read",
      name: { node: member(params, "uri")!, key: "uri" },
      text: null,
    }));
  }

  #keptResult(rpc: RpcCall, uri: string, { text, mimeType }: KeptText): HttpAnswer {
    const head = resultHead(rpc.era, this.#o.version, { keepMs: 0 });
    const contents = JSON.stringify([{ uri, mimeType, text }]);
    return jsonAnswer(200, resultBytes(rpc.id, utf8(`{${head}${head === "" ? "" : ","}"contents":${contents}}`)));
  }

  async complete(rpc: RpcCall): Promise<HttpAnswer> {
    const { bytes, params } = rpc.message;
    const ref = member(params, "ref");
    const type = stringMember(bytes, ref, "type");
    const key = type === "ref/prompt" ? "name" : type === "ref/resource" ? "uri" : null;
    const value = key === null ? null : stringMember(bytes, ref, key);
    if (key === null || value === null)
      throw new GatewayError("validation_failed", 'completion/complete needs a "ref" to a prompt by name or to a resource by uri.');
    const located = this.#known(key === "name" ? await this.#prompt(rpc, value) : locateUri(rpc.view, value));
    if (located === null) throw new GatewayError("not_found", "There is no such prompt or resource.");
    const said = ["argument", "context"].flatMap((name) => {
      const node = member(params, name);
      return node === null ? [] : [[name, node] as const];
    });
    return this.#relay(rpc, located, () => ({ operation: "complete", name: { node: member(ref, key)! }, text: { members: said } }));
  }

  async #prompt({ view, o }: RpcCall, name: string): Promise<Located | null> {
    return locate(view, name, "prompts") ?? this.#o.catalogue.seek(view, { kind: "prompts", name }, o);
  }

  #known(located: Located | null): Located | null {
    return located === null || this.#o.catalogue.get(located.server) === undefined ? null : located;
  }

  async #relay(rpc: RpcCall, located: Located, sayOf: (message: RpcMessage) => Said): Promise<HttpAnswer> {
    const { server, name } = located;
    const said = sayOf(rpc.message);
    const text = argumentsText(rpc.message.bytes, located, said);
    const head: ToolHead = {
      ...{ kind: "tool", name: fullName(server, name), server, tool: name, operation: said.operation },
      bytes: said.text === null ? 0 : text().length,
    };
    const call = this.#o.policy.open({ head, o: rpc.o, signal: rpc.signal, arguments: text });
    const { status, headers, body, done } = await this.#o.policy.run(call, () => this.#read(rpc, call, { located, sayOf, asked: text }));
    if (body.kind === "events") throw new GatewayError("internal", "What is read has no events.");
    return { status, headers, body, done };
  }

  async #read(rpc: RpcCall, call: LiveCall<ToolHead>, reading: Reading): Promise<Answer<ToolEvent>> {
    const { clock, bridge, policy, version } = this.#o;
    const { server, name } = reading.located;
    const { operation } = reading.sayOf(rpc.message);
    const { id, era, view, takesStream } = rpc;
    let status = 200;
    return answerSoon({
      ...{ clock, call, id, takesStream, status: () => status },
      encodeNotice: () => null,
      work: async (_onNotice, put) => {
        const { signal, deadlineMs } = call;
        const guard = () => policy.asking(call);
        const looks = guard();
        const message = looks === null ? rpc.message : await guardedRequest(rpc.message, looks, signal);
        const send = (via: SendOptions): Promise<Replied> => this.#send(rpc, call, { ...reading, message, via });
        const asked = () => `[${JSON.stringify(name)},${reading.asked()}]`;
        const bridged = await bridge.run({ rpc, server, asked, signal, deadlineMs, tasks: null, guard, onNotice: undefined, put, send });
        noteBridged(call, bridged);
        const bytes = bridgedBytes(bridged, { id, era, view, server, version, cacheable: operation === "read" });
        if (bridged.kind !== "reply" || bridged.state !== null) return bytes;
        const { reply } = bridged.replied;
        if (lacksCapability(reply)) status = 400;
        const read = policy.reading(call);
        return read === null ? bytes : readBytes(bytes, read);
      },
    });
  }

  /** One attempt at the server. */
  #send(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    o: Reading & { readonly message: RpcMessage; readonly via: SendOptions },
  ): Promise<Replied> {
    const { located, via } = o;
    const message = retried(o.message, via.retry);
    const said = o.sayOf(message);
    const edits = editsOf(call, located, said);
    if (edits.subject !== located.name) authoriseReading(rpc.o, fullName(located.server, edits.subject));
    const subject = said.operation === "complete" ? null : edits.subject;
    const { capabilities, deadlineMs, signal, asker } = via;
    const relayed = { message, edits: edits.edits, subject, progress: false, logLevel: null, trace: traceOf(call), capabilities };
    const { caller } = rpc.o;
    const upstream = this.#o.catalogue.get(located.server)!;
    const onAttempt = (): void => void call.meter.attempts++;
    const ask = (): Promise<Replied> =>
      guardedExchange(upstream, (to) => relayRequest(to, relayed), { deadlineMs, signal, asker, owner: caller.id, caller, onAttempt });
    if (said.operation !== "read" || !isPlainRead(message)) return ask();
    return this.#fromCache(call, { upstream, uri: edits.subject }, ask);
  }

  /** What its server lets be kept is not asked for again: policy judges the call, and what is read, as of any other. */
  async #fromCache(
    call: LiveCall<ToolHead>,
    { upstream, uri }: { readonly upstream: Upstream; readonly uri: string },
    ask: () => Promise<Replied>,
  ): Promise<Replied> {
    const { id } = call.caller;
    const told = (result: "hit" | "kept"): void =>
      this.#o.events.emit("resource.cached", { callId: call.id, server: upstream.name, result });
    const reads = await upstream.reads(call.caller);
    const known = reads?.get(id, uri) ?? null;
    if (known !== null) {
      told("hit");
      return known;
    }
    const changes = reads?.changes ?? 0;
    const replied = await ask();
    if (reads?.keep(id, uri, { ...replied, changes }) === true) told("kept");
    return replied;
  }
}

/** Something that is read of a server. */
interface Reading {
  readonly located: Located;
  readonly sayOf: (message: RpcMessage) => Said;
  /** JSON text of what is said beside the name. */
  readonly asked: () => string;
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

function noPrompt(name: string): GatewayError {
  return new GatewayError("not_found", `There is no prompt "${name.slice(0, 200)}".`, { hint: "List the prompts to see which there are." });
}

/** An empty result: the answer to `ping` and to what is only acknowledged. */
export function acknowledged(rpc: RpcCall, version: string): HttpAnswer {
  return jsonAnswer(200, resultBytes(rpc.id, utf8(`{${resultHead(rpc.era, version, { keepMs: null })}}`)));
}

const listMethods: ReadonlyMap<string, ListKind> = new Map((Object.keys(LISTS) as ListKind[]).map((kind) => [LISTS[kind].method, kind]));
export function listKindOf(method: string): ListKind | undefined {
  return listMethods.get(method);
}
