import type { Answer, Caller, JsonObject, LiveAnswer, ToolEvent, ToolHead } from "../calls/index.js";
import { mayDo } from "../access/grants.js";
import { toolForbidden } from "../access/grants/refused.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import { LiveCall } from "../policy/live-call.js";
import { hearsEvents, heard, runSteps } from "../policy/run-steps.js";
import type { QuestionGuard } from "../policy/guardrails/guard-call.js";
import type { Step } from "../policy/step.js";
import { MAX_DEPTH, type CallOptions, type Services } from "../seams/index.js";
import { fullName, type Located } from "./catalogue/view.js";
import { newId } from "../util/ids.js";

const NEVER = new AbortController().signal;

export type ToolSteps = readonly Step<ToolHead, ToolEvent>[];

/** What a resource or a prompt says, as policy lets it be read; null: nobody looks. Errors: those of the policy. */
export type ReadGuard = (call: LiveCall<ToolHead>) => ((raw: JsonObject) => Promise<JsonObject>) | null;

/** What a server asks in the middle of a call, and what it is answered, as policy lets it pass; null: nobody looks. */
export type AskGuard = (call: LiveCall<ToolHead>) => QuestionGuard | null;

/** Those who look at what no step sees; left out: nobody does. */
export interface ToolGuards {
  readonly reading?: ReadGuard | undefined;
  readonly asking?: AskGuard | undefined;
}

export interface ToolCallToOpen {
  readonly head: ToolHead;
  readonly o: CallOptions;
  readonly signal: AbortSignal;
  /** The JSON text of the arguments; made only when a step looks. */
  readonly arguments: () => string;
}

/** The steps that every tool call passes, wherever it comes from, and all that is read: the same grants decide, under the same names. */
export class ToolPolicy {
  readonly #services: Services;
  readonly #snapshot: () => Snapshot;
  readonly #steps: ToolSteps;
  readonly #guards: ToolGuards;

  constructor(
    services: Services,
    o: { readonly snapshot: () => Snapshot; readonly steps: ToolSteps; readonly guards?: ToolGuards | undefined },
  ) {
    this.#services = services;
    this.#snapshot = o.snapshot;
    this.#steps = o.steps;
    this.#guards = o.guards ?? {};
  }

  /** What looks at what a server gives to be read; null: nobody does. */
  reading(call: LiveCall<ToolHead>): ((raw: JsonObject) => Promise<JsonObject>) | null {
    return this.#guards.reading?.(call) ?? null;
  }

  /** Whether somebody looks at what a server says to a caller, in any of its calls of tools. */
  looksAt(caller: Caller, server: string): boolean {
    // Without a tool: whichever it may be.
    const head: ToolHead = { kind: "tool", name: fullName(server, ""), server, tool: "", bytes: 0 };
    const o = { caller, requestId: "", deadlineMs: 0, depth: 0, signal: NEVER };
    return this.#guards.reading !== undefined && this.reading(this.open({ head, o, signal: NEVER, arguments: () => "{}" })) !== null;
  }

  /** What looks at what a server asks in the course of a call, and at the answers; null: nobody does. */
  asking(call: LiveCall<ToolHead>): QuestionGuard | null {
    return this.#guards.asking?.(call) ?? null;
  }

  /** What a server is told to watch is told to it as what is read there. Errors: those of the policy; `content_blocked` also for an address that it would change. */
  readonly assertSayable = async (o: CallOptions, { server, name }: Located): Promise<void> => {
    const head: ToolHead = { kind: "tool", name: fullName(server, name), server, tool: name, operation: "read", bytes: 0 };
    const said = { uri: name };
    const guard = this.asking(this.open({ head, o, signal: o.signal, arguments: () => JSON.stringify(said) }));
    if (guard === null || (await guard.answer(said, o.signal)) === said) return;
    throw new GatewayError("content_blocked", "A guardrail would change the address of the resource, and so it is not watched.");
  };

  /** Errors: `limit_reached` when calls are nested too deeply. */
  open(call: ToolCallToOpen): LiveCall<ToolHead> {
    const { o, head } = call;
    if (o.depth > MAX_DEPTH) throw new GatewayError("limit_reached", `Calls are nested more than ${MAX_DEPTH} deep.`);
    return new LiveCall({
      id: newId("call"),
      requestId: o.requestId,
      runId: o.runId ?? null,
      caller: o.caller,
      head,
      snapshot: this.#snapshot(),
      signal: call.signal,
      deadlineMs: o.deadlineMs,
      depth: o.depth,
      purpose: o.purpose ?? null,
      face: o.face,
      origin: o.origin,
      startedAtMs: this.#services.clock.now(),
      decode: () => ({ kind: "tool", name: head.name, arguments: call.arguments() }),
      onLeaveError: (error) => this.#services.events.emit("internal.error", { where: "a step of a tool call", error }),
    });
  }

  /** Whether tools take a purpose beside their arguments. */
  takesPurpose(): boolean {
    return this.#snapshot().config.mcp.purpose;
  }

  /** Whether a step looks at the answer, so that it has to be decoded; otherwise it may pass as bytes. */
  hearsAnswer(call: LiveCall<ToolHead>): boolean {
    return hearsEvents(this.#steps, call);
  }

  /** The result of a call whose request was answered before, as the steps leave it that look at answers. Errors: theirs. */
  async late(call: LiveCall<ToolHead>, result: ToolEvent): Promise<ToolEvent> {
    let left = result;
    for await (const event of heard(this.#steps, call, only(result))) left = event;
    return left;
  }

  run(call: LiveCall<ToolHead>, core: (call: LiveCall<ToolHead>) => Promise<Answer<ToolEvent>>): Promise<LiveAnswer<ToolEvent>> {
    return runSteps(this.#steps, call, core);
  }
}

// eslint-disable-next-line @typescript-eslint/require-await -- events are asynchronous, this one is known
async function* only(event: ToolEvent): AsyncIterable<ToolEvent> {
  yield event;
}

/** What is watched, or was called otherwise before a step changed it: the same grants decide, under the same names. Errors: `forbidden`. */
export function authoriseReading(o: CallOptions, name: string): void {
  if (mayDo(o.caller, "mcp", name)) return;
  throw toolForbidden(o.caller, name);
}
