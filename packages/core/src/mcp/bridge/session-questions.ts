import { textAt } from "../frames/json-scan.js";
import { idText, valueMember, type RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { newId } from "../../util/ids.js";
import { missingFor } from "./capabilities.js";
import type { Asker, ClientCapabilities, Question, QuestionAnswer } from "./question.js";

/** Puts a message where the client reads; false: it reads nowhere. */
export type Put = (message: Uint8Array) => boolean;

/** Answers that arrive at another process. */
export interface Elsewhere {
  /** Resolves with the answer that another process was given; never when there can be none. */
  expect(questionId: string, signal: AbortSignal): Promise<QuestionAnswer>;
}
export interface SessionQuestionsOptions {
  readonly capabilities: ClientCapabilities;
  /** The standing stream. */
  readonly standing: Put;
  readonly elsewhere: Elsewhere | null;
}

/**
 * What servers ask of the client of one session, up to 2025-11-25: requests of ours, on the stream of the call that they belong to, or the standing one when that call is answered as JSON. Ids are ours and nobody can guess them.
 */
export class SessionQuestions {
  readonly capabilities: ClientCapabilities;
  readonly #o: SessionQuestionsOptions;
  readonly #open = new Map<string, (answer: QuestionAnswer) => void>();

  constructor(options: SessionQuestionsOptions) {
    this.#o = options;
    this.capabilities = options.capabilities;
  }

  /** Who made one call of the session; `put`: that call's own stream, when it has one. */
  asker(put: Put | undefined): Asker {
    return {
      capabilities: this.capabilities,
      ask: (question, signal) => this.#ask(question, signal, put ?? this.#o.standing),
      completed: (elicitationId) => {
        const params = JSON.stringify({ elicitationId });
        const notice = utf8(`{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":${params}}`);
        if (put?.(notice) !== true) this.#o.standing(notice);
      },
    };
  }

  /** Takes the client's answer; false: it answers nothing that this process asked. */
  answered(message: RpcMessage): boolean {
    const resolve = this.#open.get(idText(message));
    resolve?.(answerOf(message));
    return resolve !== undefined;
  }

  close(): void {
    for (const resolve of this.#open.values()) resolve(CLOSED);
  }

  #ask(question: Question, signal: AbortSignal, put: Put): Promise<QuestionAnswer> {
    if (missingFor(question, this.capabilities) !== null) return Promise.resolve(undeclared(question));
    const questionId = newId("question");
    const id = JSON.stringify(questionId);
    return new Promise((resolve) => {
      const ended = new AbortController();
      const settle = (answer: QuestionAnswer): void => {
        if (!this.#open.delete(id)) return;
        signal.removeEventListener("abort", withdraw);
        ended.abort();
        resolve(answer);
      };
      const withdraw = (): void => {
        put(utf8(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id}}}`));
        settle(CLOSED);
      };
      this.#open.set(id, settle);
      const params = question.params === null ? "" : `,"params":${question.params}`;
      if (signal.aborted || !put(utf8(`{"jsonrpc":"2.0","id":${id},"method":"${question.method}"${params}}`))) return settle(UNHEARD);
      signal.addEventListener("abort", withdraw, { once: true });
      // Without a row the answer can only come here.
      this.#o.elsewhere?.expect(questionId, ended.signal).then(settle, () => undefined);
    });
  }
}

/** What a client answered, as text. */
export function answerOf(message: RpcMessage): QuestionAnswer {
  const { bytes, result, error } = message;
  if (result !== null) return { result: textAt(bytes, result) };
  const code = valueMember(bytes, error, "code");
  const text = valueMember(bytes, error, "message");
  return {
    error: {
      code: typeof code === "number" ? code : RPC.internalError,
      message: typeof text === "string" ? text : "The client answered with an error.",
    },
  };
}

function undeclared(question: Question): QuestionAnswer {
  const isMode = question.method === "elicitation/create";
  return {
    error: {
      code: isMode ? RPC.invalidParams : RPC.methodNotFound,
      message: `The client declared no capability for ${question.method}${isMode ? " in this mode" : ""}.`,
    },
  };
}
const CLOSED: QuestionAnswer = { error: { code: RPC.serverError, message: "The call that this was asked for is over." } };
const UNHEARD: QuestionAnswer = { error: { code: RPC.serverError, message: "The client reads no stream on which it could be asked." } };
