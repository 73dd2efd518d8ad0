import type { QuestionGuard } from "../../policy/guardrails/guard-call.js";
import type { RpcMessage } from "../frames/message.js";
import type { ExchangeOptions } from "../lanes/lane.js";
import type { RpcCall } from "../downstream/request.js";
import type { Replied } from "./held-call.js";
import type { Retry } from "./members.js";
import type { Put } from "./session-questions.js";

/** How one attempt of a call goes to its server. */
export interface SendOptions extends Pick<ExchangeOptions, "deadlineMs" | "onNotice" | "asker"> {
  readonly signal: AbortSignal;
  /** JSON text of what its caller can be asked; left out: nothing. */
  readonly capabilities: string | undefined;
  /** For a server since 2026-07-28. */
  readonly retry: Retry;
}

/** One request of a client that its server may want to know something for: `tools/call`, `prompts/get` or `resources/read`. */
export interface BridgedCall {
  readonly rpc: RpcCall;
  readonly server: string;
  /** JSON text of what is asked for: name or URI, and arguments. */
  readonly asked: () => string;
  readonly signal: AbortSignal;
  readonly deadlineMs: number;
  /** It may go on as a task; null: it may not. */
  readonly tasks: TaskTerms | null;
  /** What looks at questions and their answers; null: nothing does. Asked only when there are some. */
  readonly guard: () => QuestionGuard | null;
  readonly onNotice: ((notice: RpcMessage) => void) | undefined;
  /** Where messages for the client go that belong to this request; left out: it takes none. */
  readonly put: Put | undefined;
  readonly send: (o: SendOptions) => Promise<Replied>;
}

export interface TaskTerms {
  /** As grants call it. */
  readonly tool: string;
  /** Its server knows no tasks. */
  readonly isLegacy: () => boolean;
  /** What a client is to be told of its server's answer, in the client's terms. Errors: of a policy that lets it not pass. */
  readonly finish: (replied: Replied, signal: AbortSignal) => Promise<Replied>;
}

/** What the client is answered: as its server did, with `state` in the place of the server's own, or with what it is asked for a server that waits. */
export type Bridged =
  | {
      readonly kind: "reply";
      readonly replied: Replied;
      readonly state: string | null;
      /** Of a task that the server made of it: our handle. */
      readonly taskId?: string;
      /** Another request began the call, and is long answered. */
      readonly isLate: boolean;
    }
  | { readonly kind: "input"; readonly requests: string; readonly state: string }
  /** It goes on as a task of ours. */
  | { readonly kind: "task"; readonly members: string };
