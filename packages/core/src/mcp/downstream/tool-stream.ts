import type { Answer, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { Put } from "../bridge/session-questions.js";
import type { RpcMessage } from "../frames/message.js";
import { SseStream } from "../frames/sse-stream.js";
import { JSON_HEADERS, STREAM_HEADERS, errorBytes, rpcError, whyEnded } from "./respond.js";

/** An answer that takes longer begins as a stream, so that nothing on the way takes the silence for a dead connection. */
const PATIENCE_MS = 10_000;

export interface AnswerSoonOptions {
  readonly clock: Clock;
  readonly call: LiveCall<ToolHead>;
  readonly id: string;
  readonly takesStream: boolean;
  /** Makes the call and gives the answer's bytes. `put`: says something to the caller before it; both are left out for one that takes no stream. */
  readonly work: (onNotice: ((notice: RpcMessage) => void) | undefined, put: Put | undefined) => Promise<Uint8Array>;
  /** Of an answer that is no stream; left out: 200. */
  readonly status?: (() => number) | undefined;
  /** A notice in the caller's terms; null: not for the caller. */
  readonly encodeNotice: (notice: RpcMessage) => Uint8Array | null;
}

/**
 * Answers as JSON when the result is the first that comes, and as an event stream as soon as something comes before it. An error after the stream has begun is its last
 * message.
 */
export function answerSoon(o: AnswerSoonOptions): Promise<Answer<ToolEvent>> {
  return new Promise((resolve, reject) => {
    let stream: SseStream | null = null;
    let cancelPatience: (() => void) | null = null;
    const begin = (): SseStream => {
      if (stream === null) {
        cancelPatience?.();
        stream = new SseStream(o.clock, () => undefined);
        // When nobody reads it any more; otherwise its last message ends it, which of a call that failed is still to come.
        o.call.defer(({ kind }) => {
          if (kind === "aborted") stream?.end();
        });
        resolve({ status: 200, headers: STREAM_HEADERS, body: { kind: "frames", frames: stream } });
      }
      return stream;
    };
    let isOver = false;
    const put: Put = (bytes) => {
      if (isOver) return false;
      begin().push(bytes);
      return stream?.ended === false;
    };
    const onNotice = (notice: RpcMessage) => {
      const bytes = o.encodeNotice(notice);
      if (bytes !== null) begin().push(bytes);
    };
    if (o.takesStream) cancelPatience = o.clock.at(o.clock.now() + PATIENCE_MS, begin);
    o.work(o.takesStream ? onNotice : undefined, o.takesStream ? put : undefined).then(
      (bytes) => {
        isOver = true;
        cancelPatience?.();
        if (stream === null) return resolve({ status: o.status?.() ?? 200, headers: JSON_HEADERS, body: { kind: "bytes", bytes } });
        stream.push(bytes);
        stream.end();
      },
      (thrown: unknown) => {
        isOver = true;
        cancelPatience?.();
        const error = GatewayError.from(thrown);
        if (stream === null) return reject(error);
        o.call.failed(error.code);
        stream.push(errorBytes(o.id, rpcError(whyEnded(error, o.call), o.call.requestId)));
        stream.end();
      },
    );
  });
}
