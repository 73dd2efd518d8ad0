import {
  fold,
  unfold,
  type Headers,
  type ModelAnswer,
  type ModelCall,
  type ModelEvent,
  type ModelHead,
  type Usage,
} from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { HttpResponse } from "../../ports/index.js";
import type { Reach } from "../../providers/index.js";
import type { Codec } from "../../wire/shared/codec.js";
import { inProcessEvents } from "./in-process-events.js";
import { beginEvents } from "./metered-events.js";
import type { Target } from "../resolve.js";
import { tellable } from "./tellable.js";
import type { Attempt } from "./attempt.js";
import { isStream, send, wholeBody } from "./upstream.js";
import type { Wires } from "./wires.js";

/** A target's answer in neutral shape, and the headers that came with it. */
export interface Asked<A> {
  readonly answer: A;
  /** null: it came from no vendor. */
  readonly vendor: Headers | null;
}

/** Asks a target for a stream of events. The first event is there when this resolves. Errors: those of the target, naming the provider. */
export async function askForEvents(attempt: Attempt, call: ModelCall, wires: Wires): Promise<Asked<AsyncIterable<ModelEvent>>> {
  const { target, call: live } = attempt;
  const begin = (events: AsyncIterable<ModelEvent>) =>
    beginEvents(events, {
      usage: ({ usage }) => noteUsage(live, target, usage),
      failed: (error) => {
        live.failed(error.code);
        return tellable(attempt, error);
      },
    });
  const { reach } = target.provider;
  if (reach.kind === "in-process")
    return { answer: await begin(inProcessEvents(attempt, { call, answer: reach.answer }, wires.clock)), vendor: null };
  const { codec, response } = await ask(attempt, { call, reach, stream: true }, wires);
  const events = isStream(response, true) ? codec.decodeStream(response.chunks()) : unfolded(await decodeWhole(target, response, codec));
  return { answer: await begin(events), vendor: response.headers };
}

/** Asks a target for a whole answer. Errors: those of the target, naming the provider. */
export async function askForAnswer(attempt: Attempt, call: ModelCall, wires: Wires): Promise<Asked<ModelAnswer>> {
  const { target, call: live } = attempt;
  const { reach } = target.provider;
  let asked: Asked<ModelAnswer>;
  if (reach.kind === "in-process")
    asked = { answer: await fold(inProcessEvents(attempt, { call, answer: reach.answer }, wires.clock)), vendor: null };
  else {
    const { codec, response } = await ask(attempt, { call, reach, stream: false }, wires);
    asked = { answer: await readWhole(target, response, codec), vendor: response.headers };
  }
  noteUsage(live, target, asked.answer.usage);
  return asked;
}

/** A whole answer, however the vendor sent it. */
export function readWhole(target: Target, response: HttpResponse, codec: Codec): Promise<ModelAnswer> {
  return isStream(response, false) ? fold(codec.decodeStream(response.chunks())) : decodeWhole(target, response, codec);
}

/** What a call used, and what that costs at this target. */
export function noteUsage(live: LiveCall<ModelHead>, target: Target, usage: Usage): void {
  live.meter.usage = usage;
  live.meter.costNanoUsd = target.model === null ? null : target.model.costNanoUsd(usage);
}

/** An answer as the stream that it would have been. */
export async function* unfolded(answer: ModelAnswer): AsyncGenerator<ModelEvent> {
  yield* unfold(answer);
}

async function ask(
  attempt: Attempt,
  o: { readonly call: ModelCall; readonly reach: Extract<Reach, { kind: "http" }>; readonly stream: boolean },
  wires: Wires,
): Promise<{ readonly codec: Codec; readonly response: HttpResponse }> {
  const { target } = attempt;
  const { protocols, baseUrl, quirks } = o.reach;
  const protocol = protocols[0]!;
  const codec = wires.codecOf(protocol);
  if (codec === null)
    throw new GatewayError(
      "unsupported_feature",
      `The provider "${target.provider.name}" speaks ${protocol}, which this version does not call yet.`,
      {
        hint: "Use a provider that speaks OpenAI's chat protocol.",
        details: { provider: target.provider.name, protocol },
      },
    );
  const request = codec.encodeRequest(o.call, { model: target.code, stream: o.stream, quirks });
  const response = await send(attempt, request, { http: wires.http, codec, baseUrl, nowMs: wires.clock.now() });
  return { codec, response };
}

async function decodeWhole(target: Target, response: HttpResponse, codec: Codec): Promise<ModelAnswer> {
  return codec.decodeAnswer(await wholeBody(target, response));
}
