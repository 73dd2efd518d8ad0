import type { HttpAnswer, Json, LiveAnswer, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName, locate } from "../catalogue/view.js";
import { textAt, type JsonNode } from "../frames/json-scan.js";
import { member, stringMember } from "../frames/message.js";
import { LOG_LEVELS } from "../frames/protocol.js";
import { replaceWith, utf8 } from "../frames/splice.js";
import { SseStream } from "../frames/sse-stream.js";
import { disagreement, mirror } from "../lanes/param-headers.js";
import { traceparentOf, tracestateOf } from "../../util/encoding/trace-parent.js";
import { purposeEdit, takeRpcPurpose } from "../purpose.js";
import { exchangeTool, toolNotFound, traceOf } from "../tool-exchange.js";
import { argumentsOf, toolEvents } from "../tool-events.js";
import type { ToolPolicy } from "../tool-policy.js";
import type { ListEntry } from "../upstream/list-entries.js";
import { mismatch } from "./classify.js";
import { relayNotice, relayReply, relayRequest } from "./relay.js";
import type { RpcCall } from "./request.js";
import { STREAM_HEADERS, errorAnswer, errorBytes, jsonAnswer, resultBytes, rpcError } from "./respond.js";
import { answerSoon } from "./tool-stream.js";

export interface ToolCallsOptions {
  readonly clock: Clock;
  readonly catalogue: Catalogue;
  readonly policy: ToolPolicy;
  readonly version: string;
}

/** `tools/call` over HTTP: policy, then the caller's bytes to the server and the server's bytes back. */
export class ToolCalls {
  readonly #o: ToolCallsOptions;
  constructor(options: ToolCallsOptions) {
    this.#o = options;
  }

  /** Errors: those of policy and of the way, to be told as JSON-RPC errors; the call is settled then. */
  async serve(given: RpcCall): Promise<HttpAnswer> {
    const rpc = this.#withOrigin(given);
    const { message, view } = rpc;
    const nameNode = member(message.params, "name");
    const name = stringMember(message.bytes, message.params, "name");
    if (name === null || nameNode === null) throw new GatewayError("validation_failed", 'tools/call needs the tool\'s "name", a string.');
    const args = member(message.params, "arguments");
    if (args !== null && message.bytes[args.start] !== 0x7b) throw new GatewayError("validation_failed", '"arguments" is not an object.');
    const located = locate(view, name);
    if (located === null || this.#o.catalogue.get(located.server) === undefined) throw toolNotFound(name);
    const { server, name: tool } = located;
    const refused = this.#headersRefused(rpc, this.#o.catalogue.get(server)?.lists.tools.get(tool), args);
    if (refused !== null) return refused;
    const head: ToolHead = { kind: "tool", name: fullName(server, tool), server, tool, bytes: args === null ? 0 : args.end - args.start };
    const argumentsText = () => (args === null ? "{}" : textAt(message.bytes, args));
    const call = this.#o.policy.open({ head, o: rpc.o, signal: rpc.signal, arguments: argumentsText });
    if (this.#o.policy.sight(call) !== "head") return this.#decoded(rpc, call);
    const edits = tool === name ? [] : [replaceWith(nameNode, JSON.stringify(tool))];
    const answer = await this.#o.policy.run(call, () => this.#relay(rpc, call, { edits, args }));
    return this.#finished(rpc, call, answer);
  }

  /** What the call says of itself in its message: the trace that it belongs to, and why it is made, which its server does not see. */
  #withOrigin(rpc: RpcCall): RpcCall {
    const { message, o } = rpc;
    const meta = member(message.params, "_meta");
    const traceparent = meta === null ? null : traceparentOf(stringMember(message.bytes, meta, "traceparent"));
    const taken = this.#takesPurpose(rpc) ? takeRpcPurpose(message) : null;
    if (traceparent === null && taken === null) return rpc;
    const before = o.origin ?? { source: "mcp" as const, purpose: null, traceparent: null, tracestate: null };
    const trace = traceparent === null ? {} : { traceparent, tracestate: tracestateOf(stringMember(message.bytes, meta, "tracestate")) };
    return {
      ...rpc,
      message: taken?.message ?? message,
      o: { ...o, origin: { ...before, ...trace, purpose: taken?.purpose ?? before.purpose } },
    };
  }

  /** A tool with an argument `purpose` of its own gets it. */
  #takesPurpose({ message, view }: RpcCall): boolean {
    if (!this.#o.policy.takesPurpose()) return false;
    const name = stringMember(message.bytes, message.params, "name");
    const located = name === null ? null : locate(view, name);
    const entry = located === null ? undefined : this.#o.catalogue.get(located.server)?.lists.tools.get(located.name);
    return entry !== undefined && purposeEdit(entry) !== null;
  }

  #relay(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    o: { readonly edits: readonly ReturnType<typeof replaceWith>[]; readonly args: JsonNode | null },
  ) {
    const { message } = rpc;
    const token = rpc.takesStream ? progressToken(rpc) : null;
    const logLevel = typeof rpc.logs === "object" && rpc.era === "modern" ? (LOG_LEVELS[rpc.logs.least] ?? null) : null;
    const relayed = { message, edits: o.edits, subject: call.head.tool, progress: token !== null, logLevel, trace: traceOf(call) };
    return answerSoon({
      clock: this.#o.clock,
      call,
      id: rpc.id,
      takesStream: rpc.takesStream,
      encodeNotice: (notice) => relayNotice(notice, { token, logs: rpc.logs }),
      work: async (onNotice) => {
        const { reply, connection } = await exchangeTool({
          catalogue: this.#o.catalogue,
          call,
          onNotice,
          build: (to, tool) =>
            relayRequest(to, relayed, tool.paramHeaders.length === 0 ? [] : mirror(tool.paramHeaders, parsed(rpc, o.args))),
        });
        if (reply.error !== null) call.failed("tool_failed");
        return relayReply(reply, connection, {
          id: rpc.id,
          era: rpc.era,
          view: rpc.view,
          server: call.head.server,
          version: this.#o.version,
          cacheable: false,
        });
      },
    });
  }

  /** A step looks at the content: the answer is decoded, seen, and encoded again. */
  async #decoded(rpc: RpcCall, call: LiveCall<ToolHead>): Promise<HttpAnswer> {
    const answer = await this.#o.policy.run(call, () =>
      toolEvents({
        catalogue: this.#o.catalogue,
        call,
        arguments: argumentsOf(call),
        progress: progressToken(rpc) !== null && rpc.takesStream,
      }),
    );
    return this.#finished(rpc, call, answer);
  }

  #finished(rpc: RpcCall, call: LiveCall<ToolHead>, answer: LiveAnswer<ToolEvent>): HttpAnswer | Promise<HttpAnswer> {
    const { body } = answer;
    if (body.kind !== "events") return { status: answer.status, headers: answer.headers, body, done: answer.done };
    return rpc.takesStream && progressToken(rpc) !== null
      ? this.#streamEvents(rpc, call, { events: body.events, done: answer.done })
      : wholeEvents(rpc, call, { events: body.events, done: answer.done });
  }

  #streamEvents(
    rpc: RpcCall,
    call: LiveCall<ToolHead>,
    answer: { readonly events: AsyncIterable<ToolEvent>; readonly done: HttpAnswer["done"] },
  ): HttpAnswer {
    const stream = new SseStream(this.#o.clock, () => undefined);
    const token = progressToken(rpc) ?? "null";
    const pump = async (): Promise<void> => {
      try {
        for await (const event of answer.events)
          stream.push(event.type === "result" ? encodeResult(rpc, event) : encodeProgress(token, event));
      } catch (thrown) {
        const error = GatewayError.from(thrown);
        call.failed(error.code);
        stream.push(errorBytes(rpc.id, rpcError(error, rpc.o.requestId)));
      } finally {
        stream.end();
      }
    };
    // Failures end the stream with an error; nothing is left to tell here.
    void pump();
    const done: HttpAnswer["done"] = (how, code) => {
      stream.end();
      answer.done(how, code);
    };
    return { status: 200, headers: STREAM_HEADERS, body: { kind: "frames", frames: stream }, done };
  }

  #headersRefused(rpc: RpcCall, tool: ListEntry | undefined, args: JsonNode | null): HttpAnswer | null {
    if (rpc.era === "legacy" || tool === undefined || tool.paramHeaders.length === 0) return null;
    const what = disagreement(tool.paramHeaders, parsed(rpc, args), (name) => rpc.request.header(name));
    if (what === null) return null;
    const { refusal } = mismatch(what, "Mcp-Param");
    return errorAnswer(refusal.status, rpc.id, refusal.error);
  }
}

function parsed(rpc: RpcCall, args: JsonNode | null): Json {
  return args === null ? {} : (JSON.parse(textAt(rpc.message.bytes, args)) as Json);
}

function progressToken(rpc: RpcCall): string | null {
  const token = member(member(rpc.message.params, "_meta"), "progressToken");
  return token === null ? null : textAt(rpc.message.bytes, token);
}

async function wholeEvents(
  rpc: RpcCall,
  call: LiveCall<ToolHead>,
  { events, done }: { readonly events: AsyncIterable<ToolEvent>; readonly done: HttpAnswer["done"] },
): Promise<HttpAnswer> {
  try {
    let bytes: Uint8Array | null = null;
    for await (const event of events) if (event.type === "result") bytes = encodeResult(rpc, event);
    if (bytes === null) throw new GatewayError("internal", "A tool call ended without a result.");
    return { ...jsonAnswer(200, bytes, call.told ?? []), done };
  } catch (error) {
    done("failed", GatewayError.from(error).code);
    throw error;
  }
}

function encodeResult(rpc: RpcCall, event: Extract<ToolEvent, { type: "result" }>): Uint8Array {
  const { resultType: _resultType, ...raw } = event.result.raw;
  return resultBytes(rpc.id, utf8(JSON.stringify(rpc.era === "modern" ? { resultType: "complete", ...raw } : raw)));
}

function encodeProgress(token: string, event: Extract<ToolEvent, { type: "progress" }>): Uint8Array {
  const { type: _type, ...progress } = event;
  return utf8(
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},${JSON.stringify(progress).slice(1)}}`,
  );
}
