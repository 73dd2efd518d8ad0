import type { Answer, JsonObject, LiveAnswer, ToolEvent, ToolHead } from "../calls/index.js";
import { mayDo } from "../access/grants.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import { LiveCall } from "../policy/live-call.js";
import { hearsEvents, runSteps } from "../policy/run-steps.js";
import type { Step } from "../policy/step.js";
import { MAX_DEPTH, type CallOptions, type Services } from "../seams/index.js";
import { newId } from "../util/ids.js";

export type ToolSteps = readonly Step<ToolHead, ToolEvent>[];

/** What a resource or a prompt says, as policy lets it be read; null: nobody looks. Errors: those of the policy. */
export type ReadGuard = (call: LiveCall<ToolHead>) => ((raw: JsonObject) => Promise<JsonObject>) | null;

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
  readonly #readGuard: ReadGuard | undefined;

  constructor(
    services: Services,
    o: { readonly snapshot: () => Snapshot; readonly steps: ToolSteps; readonly readGuard?: ReadGuard | undefined },
  ) {
    this.#services = services;
    this.#snapshot = o.snapshot;
    this.#steps = o.steps;
    this.#readGuard = o.readGuard;
  }

  /** What looks at what a server gives to be read; null: nobody does. */
  reading(call: LiveCall<ToolHead>): ((raw: JsonObject) => Promise<JsonObject>) | null {
    return this.#readGuard?.(call) ?? null;
  }

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

  run(call: LiveCall<ToolHead>, core: (call: LiveCall<ToolHead>) => Promise<Answer<ToolEvent>>): Promise<LiveAnswer<ToolEvent>> {
    return runSteps(this.#steps, call, core);
  }
}

/** What is watched, or was called otherwise before a step changed it: the same grants decide, under the same names. Errors: `forbidden`. */
export function authoriseReading(o: CallOptions, name: string): void {
  if (mayDo(o.caller, "mcp", name)) return;
  throw new GatewayError("forbidden", `This key may not use "${name.slice(0, 200)}".`, {
    hint: `Grant it mcp:${name.slice(0, 200)}, or a pattern that covers it.`,
  });
}
