import type { HttpAnswer, JsonObject, LiveAnswer, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { Put } from "../bridge/session-questions.js";
import { changedText } from "../frames/changed-text.js";
import { textAt } from "../frames/json-scan.js";
import { member, readMessage, upstreamPlan, type RpcMessage } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import { noticeOf, saidTo } from "../server-said.js";
import { lacksCapability } from "./bridged-answer.js";
import { relayNotice, relayReply } from "./relay.js";
import type { RpcCall } from "./request.js";
import { resultBytes } from "./respond.js";
import { answerSoon } from "./tool-stream.js";

type ResultEvent = Extract<ToolEvent, { type: "result" }>;

export interface DecodedCallOptions {
  readonly clock: Clock;
  readonly rpc: RpcCall;
  readonly call: LiveCall<ToolHead>;
  /** Of this gateway. */
  readonly version: string;
  /** As JSON text; null: nobody hears of progress. */
  readonly progressToken: string | null;
  /** The answer as its caller gets it. */
  readonly fit: (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>;
  /** Policy, and the call as events. */
  readonly run: (put: Put | undefined) => LiveAnswer<ToolEvent> | Promise<LiveAnswer<ToolEvent>>;
}

/** A call whose answer a step looks at: the step gets a decoded copy, and the caller what the server said, but for what the step changed. Errors: those of the call, which is settled then. */
export async function decodedCall(o: DecodedCallOptions): Promise<HttpAnswer> {
  const { clock, rpc, call } = o;
  let done: HttpAnswer["done"] = () => undefined;
  let answered = 200;
  const answering = answerSoon({
    ...{ clock, call, id: rpc.id, takesStream: rpc.takesStream, encodeNotice: () => null, status: () => answered },
    work: async (_onNotice, put) => {
      const live = await o.run(put);
      done = live.done;
      return o.fit(await collected({ ...o, onStatus: (status) => (answered = status) }, live, put));
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

interface Encoding extends Pick<DecodedCallOptions, "rpc" | "call" | "version"> {
  readonly onStatus: (status: number) => void;
}
type Collecting = DecodedCallOptions & Encoding;

async function collected(o: Collecting, { body }: LiveAnswer<ToolEvent>, put: Put | undefined): Promise<Uint8Array> {
  if (body.kind === "bytes") return body.bytes;
  if (body.kind === "frames") throw new GatewayError("internal", "A step answered a tool call with frames.");
  let bytes: Uint8Array | null = null;
  for await (const event of body.events)
    if (event.type === "result") bytes = encodeResult(o, event);
    else if (o.progressToken !== null) put?.(encodeProgress(o.progressToken, event));
  if (bytes === null) throw new GatewayError("internal", "A tool call ended without a result.");
  return bytes;
}

/** The answer as its server said it, in its caller's terms, with what steps changed of it. */
export function encodeResult(o: Encoding, { result }: ResultEvent): Uint8Array {
  const { rpc, call, version } = o;
  const said = saidTo(call);
  // A server's error has no result to change: a step that does makes one of it.
  if (said === undefined || (said.replied.reply.error !== null && result.raw !== said.raw)) return ownResult(rpc, result.raw);
  const { reply, connection } = said.replied;
  if (reply.error !== null && lacksCapability(reply)) o.onStatus(400);
  const { id, era, view } = rpc;
  const { server } = call.head;
  return relayReply(withResult(reply, result.raw), connection, {
    id,
    era,
    view,
    server,
    version,
    cacheable: false,
    state: said.state,
    taskId: said.taskId,
  });
}

/** Without what stands beside a result, or beside what an error has: nobody saw that. */
function withResult({ bytes, result, error }: RpcMessage, raw: JsonObject): RpcMessage {
  if (result === null) {
    const members = ["code", "message", "data"].flatMap((name) => {
      const node = member(error, name);
      return node === null ? [] : [`"${name}":${textAt(bytes, node)}`];
    });
    return readMessage(utf8(`{"jsonrpc":"2.0","id":0,"error":{${members.join(",")}}}`), upstreamPlan);
  }
  const as = bytes.subarray(result.start, result.end);
  const text = changedText(as, raw);
  return readMessage(resultBytes("0", text === null ? as : utf8(text)), upstreamPlan);
}

/** One that no server said. */
function ownResult({ id, era }: RpcCall, raw: JsonObject): Uint8Array {
  const { resultType, ...members } = raw;
  const type = resultType === undefined ? "complete" : resultType;
  return resultBytes(id, utf8(JSON.stringify(era === "modern" ? { resultType: type, ...members } : members)));
}

type Progress = Extract<ToolEvent, { type: "progress" }>;

/** Whether a notice says what steps saw of it, and no more: also a message that is no text, or a total that is no number. */
function isSeen({ params }: RpcMessage, { total, message }: Progress): boolean {
  const seen = new Set([
    "progressToken",
    "progress",
    ...(total === undefined ? [] : ["total"]),
    ...(message === undefined ? [] : ["message"]),
  ]);
  return params!.kids!.every(({ key }) => seen.has(key));
}

/** Where a notice says more than steps see, the rest is left out. */
function encodeProgress(token: string, event: Progress): Uint8Array {
  const notice = noticeOf(event);
  const relayed = notice === undefined || !isSeen(notice, event) ? null : relayNotice(notice, { token, logs: "none" });
  if (relayed !== null) return relayed;
  const { type: _type, ...progress } = event;
  return utf8(
    `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":${token},${JSON.stringify(progress).slice(1)}}`,
  );
}
