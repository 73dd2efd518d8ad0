import {
  Fold,
  unfold,
  type Headers,
  type ModelAnswer,
  type ModelCall,
  type ModelEvent,
  type ModelHead,
  type Usage,
} from "../../calls/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import { nothingDelivered, type Delivered } from "../../policy/money/delivered.js";
import type { HttpResponse } from "../../ports/index.js";
import { markAnswer, markEvents } from "../../wire/shared/adapt/mark-calls.js";
import type { Codec, Warning } from "../../wire/shared/codec.js";
import { hasTokens, type Carrier, type HeldCall } from "../opaque/index.js";
import type { Target } from "../resolve.js";
import type { Attempt } from "./attempt.js";
import { inProcessEvents } from "./in-process-events.js";
import { beginEvents } from "./metered-events.js";
import { refuseForeignFiles } from "./prepare/foreign-files.js";
import { withOwnFiles } from "./prepare/own-files.js";
import { prepareCall, type PreparedCall } from "./prepare/prepare-call.js";
import { mayNameHandles, refuseHandles } from "./prepare/vendor-handles.js";
import { wayTo, type WayTo } from "./prepare/way-to.js";
import { saneUsage } from "./sane-usage.js";
import { tellable } from "./tellable.js";
import { isStream, send, wholeBody } from "./upstream.js";
import type { Wires } from "./wires.js";

/** What is asked of targets, one after the other. */
export interface Question {
  readonly carrier: Carrier;
  /** The call, its tokens opened; made once for all attempts. `restore`: with those that the caller's dialect could not carry, which takes a read of the store. */
  readonly held: (restore: boolean) => Promise<HeldCall>;
  /** Of the caller's headers those that go on to a vendor of the caller's own protocol. */
  readonly headers?: Headers | undefined;
}

/** A target's answer in neutral shape, and the headers that came with it. */
export interface Asked<A> {
  readonly answer: A;
  /** null: it came from no vendor. */
  readonly vendor: Headers | null;
  /** What of the call the target did not get as it was. */
  readonly warnings: readonly Warning[];
}

/** Asks a target for a stream of events. The first event is there when this resolves. Errors: those of the target, naming the provider. */
export async function askForEvents(attempt: Attempt, question: Question, wires: Wires): Promise<Asked<AsyncIterable<ModelEvent>>> {
  const { target, call: live } = attempt;
  const asking = await open(attempt, question, wires);
  const begin = async (events: AsyncIterable<ModelEvent>) => {
    const begun = await beginEvents(wires.tokens.sealEvents(markEvents(events, asking.call), asking.sealing), {
      delivered: (live.meter.delivered = nothingDelivered()),
      usage: ({ usage }) => noteUsage(live, target, usage),
      failed: (error) => {
        live.failed(error.code);
        return tellable(attempt, error);
      },
    });
    live.meter.beganAtMs = wires.clock.now();
    return begun;
  };
  if (asking.way.kind === "in-process") {
    const events = inProcessEvents(attempt, { call: asking.call, answer: asking.way.reach.answer }, wires.clock);
    return { answer: await begin(events), vendor: null, warnings: asking.warnings };
  }
  const { codec, response, adapted, warnings } = await ask(attempt, { asking, way: asking.way, stream: true }, wires);
  const events = isStream(response, true) ? codec.decodeStream(response.chunks()) : unfolded(await decodeWhole(target, response, codec));
  return { answer: await begin(adapted.restore(events)), vendor: response.headers, warnings };
}

/** Asks a target for a whole answer. Errors: those of the target, naming the provider. */
export async function askForAnswer(attempt: Attempt, question: Question, wires: Wires): Promise<Asked<ModelAnswer>> {
  const { target, call: live } = attempt;
  const asking = await open(attempt, question, wires);
  let asked: Asked<ModelAnswer>;
  if (asking.way.kind === "in-process") {
    const events = inProcessEvents(attempt, { call: asking.call, answer: asking.way.reach.answer }, wires.clock);
    asked = { answer: await collected(events, attempt), vendor: null, warnings: asking.warnings };
  } else {
    const { codec, response, adapted, warnings } = await ask(attempt, { asking, way: asking.way, stream: false }, wires);
    asked = { answer: adapted.restoreAnswer(await readWhole(attempt, response, codec)), vendor: response.headers, warnings };
  }
  noteUsage(live, target, asked.answer.usage);
  if (live.meter.usage.outputTokens === undefined) live.meter.delivered = answerDelivered(asked.answer);
  const answer = await wires.tokens.sealAnswer(markAnswer(asked.answer, asking.call), asking.sealing);
  return { answer, vendor: asked.vendor, warnings: asked.warnings };
}

/** A whole answer, however the vendor sent it. What one that breaks off had used by then is noted. */
export function readWhole(attempt: Attempt, response: HttpResponse, codec: Codec): Promise<ModelAnswer> {
  if (!isStream(response, false)) return decodeWhole(attempt.target, response, codec);
  return collected(codec.decodeStream(response.chunks()), attempt);
}

async function collected(events: AsyncIterable<ModelEvent>, { call, target }: Attempt): Promise<ModelAnswer> {
  const fold = new Fold();
  try {
    for await (const event of events) fold.push(event);
  } catch (error) {
    if (Object.keys(fold.usage).length > 0) noteUsage(call, target, fold.usage);
    throw error;
  }
  return fold.answer();
}

/** What a call used, as far as it can be true, and what that costs at this target. */
export function noteUsage(live: LiveCall<ModelHead>, target: Target, told: Usage): void {
  const usage = saneUsage(told, target.model ?? { contextTokens: null, maxOutputTokens: null });
  live.meter.note(usage, target.provider.costNanoUsd(target.model, usage));
}

function answerDelivered({ candidates }: ModelAnswer): Delivered {
  let chars = 0;
  for (const { content } of candidates)
    for (const part of content)
      chars += "text" in part && typeof part.text === "string" ? part.text.length : part.type === "tool-call" ? part.arguments.length : 0;
  return { ...nothingDelivered(), chars, events: chars === 0 ? 0 : 1 };
}

/** An answer as the stream that it would have been. */
export async function* unfolded(answer: ModelAnswer): AsyncGenerator<ModelEvent> {
  yield* unfold(answer);
}

/** A question as it is put to one target. */
interface Asking {
  readonly way: WayTo;
  readonly call: ModelCall;
  readonly warnings: readonly Warning[];
  readonly sealing: Parameters<Wires["tokens"]["sealEvents"]>[1];
  readonly headers: Headers;
}

async function open(attempt: Attempt, question: Question, wires: Wires): Promise<Asking> {
  const { carrier } = question;
  const dialect = carrier.dialect?.protocol ?? null;
  const way = wayTo(attempt.target, dialect, wires);
  const spoken = { target: attempt.target, key: attempt.key, codec: way.codec };
  const opened = wires.tokens.open(await question.held(hasTokens(spoken)), spoken);
  const call = await withOwnFiles(opened.call, attempt.call.caller, wires.readFile);
  if (way.codec !== null && dialect !== null) refuseForeignFiles(call, dialect, way.codec.protocol);
  if (way.kind === "http" && !way.reach.rawIds && !mayNameHandles(attempt.call.caller)) refuseHandles(call, way.codec);
  const isOwn = way.codec !== null && way.codec.protocol === dialect;
  return {
    way,
    call,
    warnings: opened.warnings,
    sealing: { call, carrier, way: spoken },
    headers: (isOwn ? question.headers : undefined) ?? [],
  };
}

async function ask(
  attempt: Attempt,
  { asking, way, stream }: { readonly asking: Asking; readonly way: Extract<WayTo, { kind: "http" }>; readonly stream: boolean },
  wires: Wires,
): Promise<Pick<PreparedCall, "adapted" | "warnings"> & { readonly codec: Codec; readonly response: HttpResponse }> {
  const { codec, reach } = way;
  const { request, adapted, warnings } = await prepareCall(attempt, { call: asking.call, way, stream }, wires);
  const outgoing = asking.headers.length === 0 ? request : { ...request, headers: [...request.headers, ...asking.headers] };
  const response = await send(attempt, outgoing, { http: wires.http, codec, baseUrl: reach.baseUrl, nowMs: wires.clock.now() });
  return { codec, response, adapted, warnings: asking.warnings.length === 0 ? warnings : [...asking.warnings, ...warnings] };
}

async function decodeWhole(target: Target, response: HttpResponse, codec: Codec): Promise<ModelAnswer> {
  return codec.decodeAnswer(await wholeBody(target, response));
}
