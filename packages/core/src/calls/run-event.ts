import type { ErrorCode } from "../errors/index.js";
import type { Json } from "./json.js";
import type { FinishReason } from "./model-event.js";
import type { Usage } from "./usage.js";

export type RunStatus = "queued" | "running" | "waiting" | "succeeded" | "failed" | "cancelled";

/** A status after which a run never changes again. */
export function isTerminal(status: RunStatus): boolean {
  return status === "succeeded" || status === "failed" || status === "cancelled";
}

/**
 * What a reader of a run sees, in order and kept in the store: a reader may leave, come back and go on after the last `seq` it saw.
 * The last event is always `run.succeeded`, `run.failed` or `run.cancelled`. JSON in snake_case on the wire is made of these by the face.
 */
export type RunEvent =
  | { readonly type: "run.started"; readonly attempt: number }
  /** This process went on with a run that another one left; steps that were complete are not repeated. */
  | { readonly type: "run.resumed"; readonly attempt: number; readonly afterStep: number }
  | { readonly type: "step.started"; readonly step: number; readonly model: string }
  | { readonly type: "text.delta"; readonly step: number; readonly text: string }
  | { readonly type: "reasoning.delta"; readonly step: number; readonly text: string }
  | { readonly type: "tool.started"; readonly step: number; readonly callId: string; readonly name: string; readonly arguments: string }
  | {
      readonly type: "tool.finished";
      readonly step: number;
      readonly callId: string;
      readonly name: string;
      readonly isError: boolean;
      readonly text: string;
    }
  /** A person has to approve the call, or its user to sign in; the run goes on when that is decided. `itemId`: in the inbox. */
  | {
      readonly type: "tool.waiting";
      readonly step: number;
      readonly callId: string;
      readonly name: string;
      readonly itemId: string;
      readonly waitsFor: "approval" | "sign_in";
    }
  | { readonly type: "step.finished"; readonly step: number; readonly finishReason: FinishReason; readonly usage: Usage }
  | { readonly type: "run.succeeded"; readonly text: string; readonly output: Json; readonly usage: Usage; readonly steps: number }
  | { readonly type: "run.failed"; readonly code: ErrorCode; readonly message: string; readonly step: number; readonly usage: Usage }
  | { readonly type: "run.cancelled"; readonly reason: string; readonly text: string; readonly usage: Usage };

/** An event with its place in the run: `seq` starts at 1 and has no gaps. */
export type StoredRunEvent = RunEvent & { readonly seq: number; readonly atMs: number };
