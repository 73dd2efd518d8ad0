import type { Answer, CallHead, Headers, LiveAnswer } from "../calls/index.js";
import { GatewayError, tellHeaders, type ErrorCode } from "../errors/index.js";
import type { LiveCall } from "./live-call.js";
import type { OpenCall, Sight, Step } from "./step.js";

type Seen<H extends CallHead> = Pick<OpenCall<H>, "head" | "snapshot" | "caller" | "purpose">;

const rank: Record<Sight, number> = { head: 0, read: 1, write: 2 };

/** The most that any of the steps sees of this call: decides the lane, and whether content is decoded at all. */
export function sightOf<H extends CallHead, E>(steps: readonly Step<H, E>[], call: Seen<H>): Sight {
  let most: Sight = "head";
  for (const step of steps) {
    const sight = step.sees?.(call.head, call.snapshot, call) ?? "head";
    if (rank[sight] > rank[most]) most = sight;
  }
  return most;
}

/** Whether a step wants to see the answer of this call pass as events. */
export function hearsEvents<H extends CallHead, E>(steps: readonly Step<H, E>[], call: Seen<H>): boolean {
  return steps.some((step) => step.events !== undefined && (step.sees?.(call.head, call.snapshot, call) ?? "head") !== "head");
}

/**
 * Lets a call through its steps in order and then to `core`. A step that throws refuses the call: it is settled, and the error is thrown on.
 * A step that returns an Answer ends it there. Otherwise the answer's `done` settles the call. Synchronous steps cost no promise.
 */
export function runSteps<H extends CallHead, E>(
  steps: readonly Step<H, E>[],
  call: LiveCall<H>,
  core: (call: LiveCall<H>) => Promise<Answer<E>>,
): Promise<LiveAnswer<E>> {
  return enterAll(steps, call, core).then(
    (answer) => {
      const held = call.held();
      const settled = (): LiveAnswer<E> => settleWhenDone(withEvents(steps, call, answer), call);
      return held === undefined ? settled() : held.then(settled);
    },
    (error: unknown) => {
      const held = call.held();
      if (held === undefined) throw refuse(call, error);
      return held.then(() => {
        throw refuse(call, error);
      });
    },
  );
}

async function enterAll<H extends CallHead, E>(
  steps: readonly Step<H, E>[],
  call: LiveCall<H>,
  core: (call: LiveCall<H>) => Promise<Answer<E>>,
): Promise<Answer<E>> {
  for (const step of steps) {
    const entered = step.enter?.(call);
    if (entered === undefined) continue;
    const answer = entered instanceof Promise ? await entered : entered;
    if (answer !== undefined) return answer;
  }
  if (call.signal.aborted) throw new GatewayError("cancelled", "The call was cancelled before it was sent.");
  let answer = await core(call);
  for (const step of steps) if (step.answered !== undefined) answer = step.answered(call, answer);
  return answer;
}

function withEvents<H extends CallHead, E>(steps: readonly Step<H, E>[], call: LiveCall<H>, answer: Answer<E>): Answer<E> {
  if (answer.body.kind !== "events") return answer;
  const events = heard(steps, call, answer.body.events);
  return events === answer.body.events ? answer : { ...answer, body: { kind: "events", events } };
}

/** Events of a call as the steps leave them that see its answer pass. */
export function heard<H extends CallHead, E>(steps: readonly Step<H, E>[], call: LiveCall<H>, source: AsyncIterable<E>): AsyncIterable<E> {
  let events = source;
  for (const step of steps) if (step.events !== undefined) events = step.events(call, events);
  return events;
}

function settleWhenDone<H extends CallHead, E>(answer: Answer<E>, call: LiveCall<H>): LiveAnswer<E> {
  return {
    status: answer.status,
    headers: withTold(answer.headers, call.told),
    body: answer.body,
    done: (how: "sent" | "left" | "failed", code?: ErrorCode) => {
      if (how === "left") call.meter.partial = true;
      const kind = how === "sent" ? "done" : how === "left" ? "aborted" : "failed";
      call.settle({ kind, code: code ?? (how === "left" ? "cancelled" : undefined), status: answer.status, started: true });
    },
  };
}

/** What steps told stands in place of a vendor's headers of the same names, and of what was told before; only warnings stand beside the vendor's own. */
export function withTold(headers: Headers, told: Headers | null): Headers {
  if (told === null) return headers;
  const last = new Map(told);
  return [...headers.filter(([name]) => name === "x-sallyport-warnings" || !last.has(name)), ...last];
}

function refuse<H extends CallHead>(call: LiveCall<H>, error: unknown): GatewayError {
  const known =
    call.signal.aborted && !GatewayError.is(error)
      ? new GatewayError("cancelled", "The call was cancelled.", { cause: error })
      : GatewayError.from(error);
  call.settle({ kind: known.code === "cancelled" ? "aborted" : "failed", code: known.code, status: known.status, started: false });
  if (call.told !== null) tellHeaders(known, call.told);
  return known;
}
