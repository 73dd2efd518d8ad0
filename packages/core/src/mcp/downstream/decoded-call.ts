import type { HttpAnswer, LiveAnswer, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { Put } from "../bridge/session-questions.js";
import { utf8 } from "../frames/splice.js";
import type { RpcCall } from "./request.js";
import { resultBytes } from "./respond.js";
import { answerSoon } from "./tool-stream.js";

export interface DecodedCallOptions {
  readonly clock: Clock;
  readonly rpc: RpcCall;
  readonly call: LiveCall<ToolHead>;
  /** As JSON text; null: nobody hears of progress. */
  readonly progressToken: string | null;
  /** The answer as its caller gets it. */
  readonly fit: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** Policy, and the call as events. */
  readonly run: (put: Put | undefined) => LiveAnswer<ToolEvent> | Promise<LiveAnswer<ToolEvent>>;
}

/** A call whose content a step looks at: the answer is decoded, seen, and encoded again. Errors: those of the call, which is settled then. */
export async function decodedCall(o: DecodedCallOptions): Promise<HttpAnswer> {
  const { clock, rpc, call } = o;
  let done: HttpAnswer["done"] = () => undefined;
  const answering = answerSoon({
    ...{ clock, call, id: rpc.id, takesStream: rpc.takesStream, encodeNotice: () => null },
    work: async (_onNotice, put) => {
      const live = await o.run(put);
      done = live.done;
      return o.fit(await collected(o, live, put));
    },
  });
  // Once the answer has begun as a stream, a failure is its last message.
  const answer = await answering.catch((error: unknown) => {
    done("failed", GatewayError.from(error).code);
    throw error;
  });
  const { body, headers, status } = answer;
  if (body.kind === "events") throw new GatewayError("internal", "A call was answered with events.");
  const told = body.kind === "bytes" ? (call.told ?? []) : [];
  return { status, headers: [...headers, ...told], body, done: (how, code) => done(how, code) };
}

async function collected(o: DecodedCallOptions, { body }: LiveAnswer<ToolEvent>, put: Put | undefined): Promise<Uint8Array> {
  if (body.kind === "bytes") return body.bytes;
  if (body.kind === "frames") throw new GatewayError("internal", "A step answered a tool call with frames.");
  let bytes: Uint8Array | null = null;
  for await (const event of body.events)
    if (event.type === "result") bytes = encodeResult(o.rpc, event);
    else if (o.progressToken !== null) put?.(encodeProgress(o.progressToken, event));
  if (bytes === null) throw new GatewayError("internal", "A tool call ended without a result.");
  return bytes;
}

function encodeResult(rpc: RpcCall, event: Extract<ToolEvent, { type: "result" }>): Uint8Array {
  const { resultType, ...raw } = event.result.raw;
  const type = resultType === undefined ? "complete" : resultType;
  return resultBytes(rpc.id, utf8(JSON.stringify(rpc.era === "modern" ? { resultType: type, ...raw } : raw)));
}

function encodeProgress(token: string, event: Extract<ToolEvent, { type: "progress" }>): Uint8Array {
  const { type: _type, ...progress } = event;
  return utf8(
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},${JSON.stringify(progress).slice(1)}}`,
  );
}
