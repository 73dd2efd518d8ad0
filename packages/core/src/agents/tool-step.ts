import { toolResultText, type RunEvent, type ToolCallPart, type ToolDefinition } from "../calls/index.js";
import { GatewayError, type ErrorCode } from "../errors/index.js";
import type { CallOptions, ToolCaller, Verdict } from "../seams/index.js";
import { untilAborted } from "../util/until-aborted.js";
import { cutText, toWellFormed } from "../util/well-formed.js";
import { callsOf, type ToolOutcome, type Turn } from "./journal.js";
import type { RunWriter } from "./run-writer.js";

export interface ToolStepOptions {
  readonly runId: string;
  readonly tools: ToolCaller;
  /** Those that the run may call, by name. */
  readonly allowed: ReadonlyMap<string, ToolDefinition>;
  readonly turn: Turn;
  readonly options: CallOptions;
  readonly writer: RunWriter;
  /** Calls at the same time. */
  readonly maxParallel: number;
  /** What became of an item of the inbox that a call waits for; null: it is gone. */
  readonly verdict: (itemId: string) => Promise<Verdict | null>;
  /** What a call does that needs its caller's sign-in: it waits for it, or ends the run with `authorization_required`. */
  readonly onSignInNeeded: "wait" | "fail";
}

/** Calls of one answer that are made; the rest are told to the model as refused. */
const MAX_CALLS = 128;
/** Of a result that the model is told; the rest is cut off, and the model is told so. */
const MAX_RESULT_CHARS = 262_144;
/** Of a result or of arguments in an event; the journal has the whole. */
const MAX_EVENT_CHARS = 32_768;

/**
 * Makes the tool calls of one answer that have no outcome yet, several at a time. Each is written down before it is made and with its outcome after, so that a completed call is never made again;
 * what a tool answers, also its failure, is an outcome that the model is told. A call that a person has to approve, or to sign in for, is parked, and is no outcome yet; once that is decided it is made,
 * perhaps with other arguments, or the model is told that it was denied.
 *
 * Errors: `authorization_required` for a call that needs a sign-in and does not wait for it, `outcome_unknown` when a call was begun and nobody knows whether it was done, the signal's reason, those of the writer.
 */
export async function toolStep(o: ToolStepOptions): Promise<void> {
  const { turn } = o;
  const open = callsOf(turn).filter(({ id }) => !turn.outcomes.has(id));
  const unknown = open.find(({ id }) => turn.begun.has(id));
  if (unknown !== undefined)
    throw unknownOutcome(o, unknown, "It was begun by a process that ended before it could write down the result.");
  const order = callsOf(turn);
  let stop: unknown = null;
  const queue = [...open];
  const worker = async (): Promise<void> => {
    for (let call = queue.shift(); call !== undefined && stop === null; call = queue.shift()) {
      try {
        const outcome = await oneCall(o, call, order.indexOf(call));
        if (outcome !== null) turn.outcomes.set(call.id, outcome);
      } catch (error) {
        // The others that are under way come to their end and are written down; nothing new is begun.
        stop ??= error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(o.maxParallel, queue.length) }, worker));
  if (stop !== null) throw stop as Error;
}

/** null: it is parked. */
async function oneCall(o: ToolStepOptions, asked: ToolCallPart, index: number): Promise<ToolOutcome | null> {
  const { step, parked } = o.turn;
  const { id: callId, name } = asked;
  const itemId = parked.get(callId);
  const verdict = itemId === undefined ? undefined : await o.verdict(itemId);
  if (verdict?.status === "pending") return null;
  parked.delete(callId);
  if (verdict !== undefined) {
    const denial = denialOf(verdict);
    if (denial !== null) return finish(o, asked, { outcome: denial, events: [] });
  }
  const call = verdict === undefined || verdict === null || verdict.edited === null ? asked : { ...asked, arguments: verdict.edited };
  const started = { type: "tool.started", step, callId, name, arguments: shorten(call.arguments, MAX_EVENT_CHARS) } as const;
  // A call that waited was let through before it did: its server may have no list to show since then.
  const refusal = refusalOf(o, call, { index, isKnown: itemId !== undefined });
  if (refusal !== null) return finish(o, call, { outcome: refusal, events: [started] });

  // Nothing may come between this and the call: what is written down as begun counts as perhaps done.
  o.options.signal.throwIfAborted();
  const idempotencyKey = `${o.runId}:${step}:${callId}`;
  await o.writer.write({ events: [started], journal: [{ kind: "tool.begun", step, body: { callId, name, idempotencyKey } }] });
  o.options.signal.throwIfAborted();
  let outcome: ToolOutcome;
  try {
    const made = o.tools.call({ name, arguments: call.arguments === "" ? "{}" : call.arguments, idempotencyKey }, o.options);
    const result = await untilAborted(made, o.options.signal);
    outcome = { isError: result.isError, text: resultText(toolResultText(result)) };
  } catch (error) {
    if (o.options.signal.aborted) throw o.options.signal.reason as Error;
    const known = GatewayError.from(error);
    const waiting = waitingOf(known);
    if (waiting?.for === "sign_in" && o.onSignInNeeded === "fail") throw known;
    if (waiting !== null) return park(o, call, waiting);
    if (fatal.has(known.code)) throw known.code === "outcome_unknown" ? unknownOutcome(o, call, known.message) : known;
    outcome = { isError: true, text: failureText(known) };
  }
  return finish(o, call, { outcome, events: [] });
}

/** Nothing was done of it. */
async function park(o: ToolStepOptions, call: ToolCallPart, waiting: Waiting): Promise<null> {
  const { step, parked } = o.turn;
  const { itemId, for: waitsFor } = waiting;
  await o.writer.write({
    events: [{ type: "tool.waiting", step, callId: call.id, name: call.name, itemId, waitsFor }],
    journal: [{ kind: "tool.parked", step, body: { callId: call.id, itemId } }],
  });
  parked.set(call.id, itemId);
  return null;
}

interface Waiting {
  readonly for: "approval" | "sign_in";
  readonly itemId: string;
}

/** What a call waits for that was refused before anything was done of it; null: it does not wait. */
export function waitingOf({ code, details }: GatewayError): Waiting | null {
  const waitsFor = code === "approval_required" ? "approval" : code === "authorization_required" ? "sign_in" : null;
  const itemId = details?.[waitsFor === "approval" ? "approval_id" : "inbox_id"];
  return waitsFor === null || typeof itemId !== "string" ? null : { for: waitsFor, itemId };
}

/** What the model is told of a call that nobody approved; null: it may be made. */
function denialOf(verdict: Verdict | null): ToolOutcome | null {
  const told = (text: string): ToolOutcome => ({ isError: true, text });
  const isSignIn = verdict?.kind === "sign_in";
  if (verdict === null || verdict.status === "expired")
    return told(isSignIn ? "Not called: its user did not sign in in time." : "Not called: nobody approved it in time.");
  if (verdict.status !== "denied") return null;
  return told(
    verdict.note === null ? "Not called: a person denied it." : `Not called: a person denied it, and said: ${toWellFormed(verdict.note)}`,
  );
}

async function finish(
  o: ToolStepOptions,
  call: ToolCallPart,
  w: { readonly outcome: ToolOutcome; readonly events: readonly RunEvent[] },
): Promise<ToolOutcome> {
  const { step } = o.turn;
  const { isError, text } = w.outcome;
  await o.writer.write({
    events: [...w.events, { type: "tool.finished", step, callId: call.id, name: call.name, isError, text: shorten(text, MAX_EVENT_CHARS) }],
    journal: [{ kind: "tool.done", step, body: { callId: call.id, isError, text } }],
  });
  return w.outcome;
}

/** Why a call is not made at all, as the model is told. */
function refusalOf(
  o: ToolStepOptions,
  call: ToolCallPart,
  { index, isKnown }: { readonly index: number; readonly isKnown: boolean },
): ToolOutcome | null {
  const refused = (text: string): ToolOutcome => ({ isError: true, text });
  if (index >= MAX_CALLS) return refused(`Not called: one answer may make at most ${MAX_CALLS} tool calls. Ask again for what is missing.`);
  if (!isKnown && !o.allowed.has(call.name)) {
    const names = [...o.allowed.keys()];
    return refused(
      `There is no tool named ${JSON.stringify(call.name)}. ${names.length === 0 ? "No tools are available." : `Tools: ${shorten(names.join(", "), 4000)}`}`,
    );
  }
  if (call.arguments === "") return null;
  try {
    const value: unknown = JSON.parse(call.arguments);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return null;
    return refused("Not called: the arguments are not a JSON object.");
  } catch {
    return refused("Not called: the arguments are not valid JSON. Send one JSON object.");
  }
}

/** What ends the run instead of being told to the model: it is nothing that the model could mend. */
const fatal: ReadonlySet<ErrorCode> = new Set([
  "outcome_unknown",
  "lease_lost",
  "shutting_down",
  "internal",
  "misconfigured",
  "unauthenticated",
]);

function failureText(error: GatewayError): string {
  const unsure = error.code === "upstream_timeout" || error.code === "upstream_interrupted" || error.code === "deadline_exceeded";
  return `The call failed (${error.code}): ${toWellFormed(error.message)}${unsure ? " Whether it was done is not known." : ""}`;
}

function unknownOutcome(o: ToolStepOptions, call: ToolCallPart, why: string): GatewayError {
  return new GatewayError("outcome_unknown", `Step ${o.turn.step}: nobody knows whether the call of ${call.name} was done. ${why}`, {
    hint: "Look at what the tool works on, then start a new run.",
    details: { runId: o.runId, step: o.turn.step, callId: call.id, tool: call.name },
  });
}

function resultText(text: string): string {
  return text.length <= MAX_RESULT_CHARS
    ? toWellFormed(text)
    : `${cutText(text, MAX_RESULT_CHARS)}\n[cut off: ${text.length} characters in all]`;
}
function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${cutText(text, most - 1)}…`;
}
