import type { HttpAnswer, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import { parseJson } from "../../util/json.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName, locate, locateUri, type Located } from "../catalogue/view.js";
import type { JsonNode } from "../frames/json-scan.js";
import { member, stringMember } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { replaceWith, utf8, concat } from "../frames/splice.js";
import { authoriseReading, type ToolPolicy } from "../tool-policy.js";
import { LISTS, type ListKind } from "../upstream/list-entries.js";
import { relayReply, relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { errorAnswer, jsonAnswer, resultBytes, resultHead } from "./respond.js";

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
    authoriseReading(rpc.o, fullName(located.server, located.name));
    return this.#relay(rpc, located, member(rpc.message.params, "name")!);
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
    authoriseReading(rpc.o, fullName(located.server, located.name));
    return this.#relay(rpc, located, member(rpc.message.params, "uri")!);
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
    authoriseReading(rpc.o, fullName(located.server, located.name));
    return this.#relay(rpc, located, member(ref, key)!);
  }

  #known(located: Located | null): Located | null {
    return located === null || this.#o.catalogue.get(located.server) === undefined ? null : located;
  }

  async #relay(rpc: RpcCall, located: Located, name: JsonNode): Promise<HttpAnswer> {
    const edits = [replaceWith(name, JSON.stringify(located.name))];
    const subject = rpc.message.method === "completion/complete" ? null : located.name;
    const relayed = { message: rpc.message, edits, subject, progress: false, logLevel: null };
    const { reply, connection } = await this.#o.catalogue
      .get(located.server)!
      .exchange((to) => relayRequest(to, relayed), { deadlineMs: rpc.o.deadlineMs, signal: rpc.signal, owner: rpc.o.caller.id });
    const cacheable = rpc.message.method === "resources/read";
    const bytes = relayReply(reply, connection, {
      id: rpc.id,
      era: rpc.era,
      view: rpc.view,
      server: located.server,
      version: this.#o.version,
      cacheable,
    });
    const reading = reply.error === null ? this.#o.policy.reading(rpc.o, headOf(located)) : null;
    return reading === null ? jsonAnswer(200, bytes) : guarded(bytes, reading);
  }
}

function headOf({ server, name }: Located) {
  return { name: fullName(server, name), server, tool: name };
}

/** What is read, as policy leaves it: as it came when policy changed nothing. */
async function guarded(bytes: Uint8Array, { guard, told }: NonNullable<ReturnType<ToolPolicy["reading"]>>): Promise<HttpAnswer> {
  const message = parseJson(bytes) as { readonly result: JsonObject };
  const result = await guard(message.result);
  return jsonAnswer(200, result === message.result ? bytes : utf8(JSON.stringify({ ...message, result })), told());
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
