import type { Answer, ToolEvent, ToolHead } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { Clock } from "../../ports/index.js";
import type { RpcMessage } from "../frames/message.js";
import { SseStream } from "../frames/sse-stream.js";
import { JSON_HEADERS, STREAM_HEADERS, errorBytes, rpcError } from "./respond.js";

/** An answer that takes longer begins as a stream, so that nothing on the way takes the silence for a dead connection. */
const PATIENCE_MS = 10_000;

export interface AnswerSoonOptions {
  readonly clock: Clock;
  readonly call: LiveCall<ToolHead>;
  readonly id: string;
  readonly takesStream: boolean;
  /** Makes the call and gives the answer's bytes. */
  readonly work: (onNotice: ((notice: RpcMessage) => void) | undefined) => Promise<Uint8Array>;
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
        // However the answer ends for the reader, the stream and its timer end with it.
        o.call.defer(() => stream?.end());
        resolve({ status: 200, headers: STREAM_HEADERS, body: { kind: "frames", frames: stream } });
      }
      return stream;
    };
    const onNotice = (notice: RpcMessage) => {
      const bytes = o.encodeNotice(notice);
      if (bytes !== null) begin().push(bytes);
    };
    if (o.takesStream) cancelPatience = o.clock.at(o.clock.now() + PATIENCE_MS, begin);
    o.work(o.takesStream ? onNotice : undefined).then(
      (bytes) => {
        cancelPatience?.();
        if (stream === null) return resolve({ status: 200, headers: JSON_HEADERS, body: { kind: "bytes", bytes } });
        stream.push(bytes);
        stream.end();
      },
      (thrown: unknown) => {
        cancelPatience?.();
        const error = GatewayError.from(thrown);
        if (stream === null) return reject(error);
        o.call.failed(error.code);
        stream.push(errorBytes(o.id, rpcError(error, o.call.requestId)));
        stream.end();
      },
    );
  });
}
