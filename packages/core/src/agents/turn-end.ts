import { GatewayError } from "../errors/index.js";
import { callsOf, type Turn } from "./journal.js";

/** Whether the model is to be asked next: all its calls have outcomes, or it only paused. Errors: those of `isFinal`. */
export function isComplete(turn: Turn): boolean {
  const calls = callsOf(turn);
  return calls.length > 0 ? calls.every(({ id }) => turn.outcomes.has(id)) : !isFinal(turn);
}

/** Whether an answer without tool calls is the end. Errors: when it is none that a run can end or go on with. */
export function isFinal(turn: Turn): boolean {
  switch (turn.finishReason) {
    case "paused":
      return false;
    case "content-filter":
      throw new GatewayError("content_blocked", "The vendor withheld the model's answer.");
    case "context-overflow":
      throw new GatewayError("upstream_rejected", "The conversation has outgrown the model's context window.", {
        hint: "Use a model with a longer context, or tools that answer with less.",
      });
    case "malformed-tool":
    case "tool-calls":
      throw new GatewayError("upstream_protocol", "The model asked for a tool in a way that cannot be read.");
    default:
      if (!turn.cutCall) return true;
      throw new GatewayError("limit_reached", "The model's answer was cut off within a tool call.", {
        hint: "The model reached its limit of output tokens.",
      });
  }
}

/** The typed ends of a run that went on for too long. */
export function stepLimit(maxSteps: number): GatewayError {
  return new GatewayError("limit_reached", `The run used up its ${maxSteps} steps and the model was not done.`, {
    hint: "Give it more with maxSteps.",
    details: { maxSteps },
  });
}

export function fruitless(attempts: number, step: number): GatewayError {
  return new GatewayError("limit_reached", `${attempts} processes in a row ended or stalled in step ${step}.`, {
    hint: "Look at their logs: something in this step ends the process.",
    details: { attempts, step },
  });
}
