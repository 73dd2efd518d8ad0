import type { ModelCall } from "../../../calls/index.js";
import { adaptCall, urlMediaOf, withMedia, type AdaptedCall } from "../../../wire/shared/adapt-call.js";
import type { Codec, EncodedRequest, Warning } from "../../../wire/shared/codec.js";
import type { Attempt } from "../attempt.js";
import type { Wires } from "../wires.js";
import { fetchMedia } from "./fetch-media.js";
import type { WayTo } from "./way-to.js";

/** A call in the target's protocol, ready to be sent. */
export interface PreparedCall {
  readonly request: EncodedRequest;
  readonly adapted: AdaptedCall;
  readonly warnings: readonly Warning[];
  /** The answer is asked for as a stream, whoever wants it how. */
  readonly stream: boolean;
}

/**
 * Fits a call to one target: the limit that its protocol demands, media that it cannot fetch, what its protocol has no place for; and writes it down. The call is free of
 * tokens that are not the target's.
 * Errors: those of the caller's URLs, and `unsupported_feature` naming the field for what has no counterpart there.
 */
export async function prepareCall(
  attempt: Attempt,
  o: { readonly call: ModelCall; readonly way: Extract<WayTo, { kind: "http" }>; readonly stream: boolean },
  wires: Wires,
): Promise<PreparedCall> {
  const { target, call: live } = attempt;
  const { codec } = o.way;
  const quirks = target.provider.quirksFor(target.model);
  const limited = withLimit(o.call, codec, target.model?.maxOutputTokens ?? null);
  const wanted = urlMediaOf(limited, { traits: codec.traits, quirks });
  const { signal, deadlineMs } = live;
  const whole =
    wanted.length === 0
      ? limited
      : withMedia(limited, await fetchMedia(wanted, { http: wires.http, signal, deadlineMs, nowMs: wires.clock.now() }));
  const adapted = adaptCall(whole, { protocol: codec.protocol, traits: codec.traits, quirks });
  const stream = o.stream || isLong(adapted.call, codec);
  const request = codec.encodeRequest(adapted.call, { model: target.code, stream, quirks });
  return { request, adapted, stream, warnings: [...adapted.warnings, ...(request.warnings ?? [])] };
}

/** Whether a whole answer could keep a connection waiting longer than vendors and those between allow. Source: wire.md §8, the vendors' SDKs refuse such calls. */
export function isLong(call: { readonly maxOutputTokens?: number | undefined }, codec: Codec): boolean {
  const { streamAbove } = codec.traits;
  return streamAbove !== undefined && call.maxOutputTokens !== undefined && call.maxOutputTokens > streamAbove;
}

function withLimit(call: ModelCall, codec: Codec, limit: number | null): ModelCall {
  if (codec.traits.needsMaxTokens !== true || call.maxOutputTokens !== undefined || limit === null) return call;
  return { ...call, maxOutputTokens: limit };
}
