import type { ErrorCode } from "../errors/index.js";
import type { ProtocolId } from "./protocol.js";

/** Header names in lower case. */
export type Headers = readonly (readonly [string, string])[];

/** The shape that a caller's answers have: a vendor's dialect, or our own. */
export type Face = ProtocolId | "own";

/**
 * What a call answers with. `bytes` is whole; `frames` are whole units of the caller's stream dialect (one or more complete SSE frames a
 * chunk), ready to be written; `events` are neutral events that a codec still has to encode. A face hands only bytes and frames to a host.
 */
export interface Answer<E> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: AnswerBody<E>;
}

export type AnswerBody<E> =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "frames"; readonly frames: AsyncIterable<Uint8Array> }
  | { readonly kind: "events"; readonly events: AsyncIterable<E> };

/**
 * An answer whose call is still open: who consumes it says once how that ended, and only then do the steps of the call leave (settle, release, audit).
 * `sent`: the last byte or event was handed over; `left`: the reader went first; `failed`: writing threw. Further calls of `done` do nothing.
 * A stream that breaks off after the first byte ends with its dialect's error event and then normally; the call knows of the failure itself.
 */
export interface LiveAnswer<E> extends Answer<E> {
  readonly done: (how: "sent" | "left" | "failed", code?: ErrorCode) => void;
}

/** What `gateway.handle(inbound)` gives to a host: bytes or frames, to be written as they are. */
export type HttpAnswer = LiveAnswer<never>;

/** How a call ended, told to every `leave` of its steps exactly once. */
export interface Outcome {
  readonly kind: "done" | "failed" | "aborted" | "parked";
  /** Set when failed. */
  readonly code?: ErrorCode | undefined;
  /** HTTP status that the caller saw. */
  readonly status: number;
  /** The first byte reached the caller before it ended. */
  readonly started: boolean;
}
