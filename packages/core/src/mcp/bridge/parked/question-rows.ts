import { RPC } from "../../frames/protocol.js";
import type { ParkedRows } from "./parked-rows.js";
import type { Parking } from "./parking.js";
import type { QuestionAnswer } from "../question.js";
import type { Elsewhere } from "../session-questions.js";

/** Who is asked, and where: an answer counts only from there. */
export interface SessionKey {
  readonly sessionId: string;
  readonly callerId: string;
  readonly address: string;
}
export interface QuestionRowsOptions {
  readonly rows: ParkedRows;
  readonly parking: Parking;
  readonly hasPeers: () => boolean;
  readonly waitMs: () => number;
}

/** Answers of clients with sessions that reach another process than the one that asked: it finds the question's row, by an id that holds the session's, and writes them there. */
export class QuestionRows {
  readonly #o: QuestionRowsOptions;
  constructor(options: QuestionRowsOptions) {
    this.#o = options;
  }

  of(key: SessionKey): Elsewhere {
    return { expect: (questionId, signal) => this.#expect(key, questionId, signal) };
  }

  /** False: nobody waits for such an answer. Errors: those of the store. */
  async deliver(key: SessionKey, questionId: unknown, answer: QuestionAnswer): Promise<boolean> {
    const { rows, parking, hasPeers } = this.#o;
    if (!hasPeers() || typeof questionId !== "string") return false;
    const row = await rows.get(this.#idOf(key, questionId));
    if (row === null || row.state !== "asked" || row.callerId !== rows.callerOf(key.callerId) || row.address !== key.address) return false;
    const text = "result" in answer ? `{"result":${answer.result}}` : JSON.stringify(answer);
    const isFirst = await rows.move(row, { state: "answered", answers: JSON.stringify(text) });
    parking.hint();
    return isFirst;
  }

  /** Errors: those of the store. */
  async #expect(key: SessionKey, questionId: string, signal: AbortSignal): Promise<QuestionAnswer> {
    const { rows, parking, hasPeers, waitMs } = this.#o;
    if (!hasPeers()) return new Promise(() => undefined);
    const id = this.#idOf(key, questionId);
    const { callerId, address } = key;
    await rows.insert({ id, kind: "question", callerId, address, server: "", tool: "" }, { state: "asked" }, waitMs());
    try {
      while (!signal.aborted) {
        const row = await rows.get(id);
        if (row === null) break;
        if (row.state === "answered") return decode(JSON.parse(rows.read(row, "answers") ?? '""') as string);
        await parking.changed(signal);
      }
      return LOST;
    } finally {
      await rows.remove(id).catch(() => undefined); // it is swept one day
    }
  }

  #idOf({ sessionId }: SessionKey, questionId: string): string {
    return this.#o.rows.digest(`${sessionId}\n${questionId}`);
  }
}

function decode(text: string): QuestionAnswer {
  const start = '{"result":';
  if (text.startsWith(start)) return { result: text.slice(start.length, -1) };
  return text === "" ? LOST : (JSON.parse(text) as QuestionAnswer);
}
const LOST: QuestionAnswer = { error: { code: RPC.serverError, message: "The answer was lost." } };
