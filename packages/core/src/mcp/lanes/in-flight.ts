import type { Asker, Question, QuestionAnswer, QuestionMethod } from "../bridge/question.js";
import { QUESTION_METHODS } from "../bridge/question.js";
import { textAt } from "../frames/json-scan.js";
import { idText, member, stringMember, type RpcMessage } from "../frames/message.js";
import { RPC } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import type { Clock } from "../../ports/index.js";
import type { ExchangeOptions } from "./lane.js";

/** A server may still ask on behalf of a call this long after it was told that nobody waits for it. */
const AFTERMATH_MS = 60_000;
/** Of one call, at once: who waits for its person keeps nobody else from being asked. */
const MAX_ASKED = 64;
/** Of one connection. */
const MAX_ERRANDS = 1_000;
/** How long a question that may be for several callers waits until all of their calls but one's were answered. */
const CLEAR_WITHIN_MS = 5_000;

/** One request that a server is working at. */
export interface Flight {
  readonly owner: string | null;
  readonly asker: Asker | undefined;
  /** Ends its questions that are open; null: it asked none yet. */
  asked: Set<AbortController> | null;
}

/**
 * The requests under way over one connection, and who is asked what the server wants to know meanwhile. A question that names no request can only be put to a caller whose calls are the only ones that were under way when it came: where there are
 * others, it waits a moment until they were answered, since a server that is done with a call wants to know nothing more for it. It is refused when they were not, and when one that was cancelled a moment ago may have been meant (a question holds
 * what one caller said, and is not for another).
 */
export class InFlight {
  readonly #clock: Clock;
  readonly #flights = new Set<Flight>();
  /** Owners of calls that nobody waits for any more and that the server did not answer, with how long they count. */
  readonly #abandoned = new Map<Flight, number>();
  /** Questions that are being asked, by the server's id as JSON text. */
  readonly #asked = new Map<string, AbortController>();
  /** Questions of which it is not clear yet whom they are for. */
  readonly #unclear = new Set<() => void>();
  /** Who was sent to a page, by the id that the server gave the errand. */
  readonly #errands = new Map<string, Asker>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(o: Pick<ExchangeOptions, "owner" | "asker">): Flight {
    const flight: Flight = { owner: o.owner, asker: o.asker, asked: null };
    this.#flights.add(flight);
    return flight;
  }

  /** `isAnswered`: the server is done with it. */
  end(flight: Flight, isAnswered: boolean): void {
    this.#flights.delete(flight);
    for (const open of flight.asked ?? []) open.abort();
    if (!isAnswered && flight.owner !== null) this.#abandon(flight);
    else this.#abandoned.delete(flight);
    for (const look of this.#unclear) look();
  }

  #abandon(flight: Flight): void {
    const nowMs = this.#clock.now();
    this.#forgetOld(nowMs);
    this.#abandoned.set(flight, nowMs + AFTERMATH_MS);
  }

  /** Those that are long over, the oldest first: a server that never asks anything keeps none of them. */
  #forgetOld(nowMs: number): void {
    for (const [flight, untilMs] of this.#abandoned) {
      if (untilMs > nowMs) return;
      this.#abandoned.delete(flight);
    }
  }

  get abandoned(): number {
    return this.#abandoned.size;
  }

  /** The answer to a request of the server, to be sent to it; null: it withdrew the request. `flight`: what the connection says that it is about. */
  async answer(request: RpcMessage, flight: Flight | null): Promise<Uint8Array | null> {
    const id = idText(request);
    if (request.method === "ping") return utf8(`{"jsonrpc":"2.0","id":${id},"result":{}}`);
    const question = questionOf(request);
    if (question === null) return failure(id, RPC.methodNotFound, `This client has no method ${request.method.slice(0, 100)}.`);
    if (this.#asked.has(id) || (flight === null && this.#unclear.size >= MAX_ASKED)) return failure(id, RPC.serverError, TOO_MANY);
    const withdrawn = new AbortController();
    this.#asked.set(id, withdrawn);
    try {
      const whose = flight ?? (await this.#whose(withdrawn.signal));
      const answer = typeof whose === "string" ? refusal(whose) : await this.#put(request, { question, whose, withdrawn });
      return this.#asked.get(id) === withdrawn ? encoded(id, answer) : null;
    } finally {
      if (this.#asked.get(id) === withdrawn) this.#asked.delete(id);
    }
  }

  async #put(request: RpcMessage, { question, whose, withdrawn }: Putting): Promise<QuestionAnswer> {
    if (!this.#flights.has(whose)) return refusal(NO_CALL);
    if (whose.asker === undefined) return nobody(question);
    if ((whose.asked?.size ?? 0) >= MAX_ASKED) return refusal(TOO_MANY);
    whose.asked ??= new Set();
    whose.asked.add(withdrawn);
    this.#note(request, whose.asker);
    try {
      return await whose.asker.ask(question, withdrawn.signal);
    } finally {
      whose.asked.delete(withdrawn);
    }
  }

  /** What the server says of its own questions; false: it is about something else. */
  noticed(notice: RpcMessage): boolean {
    if (notice.method === "notifications/cancelled") {
      const node = member(notice.params, "requestId");
      const id = node === null ? "" : textAt(notice.bytes, node);
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      asked?.abort();
      return true;
    }
    if (notice.method !== "notifications/elicitation/complete") return false;
    const errand = stringMember(notice.bytes, notice.params, "elicitationId") ?? "";
    this.#errands.get(errand)?.completed(errand);
    this.#errands.delete(errand);
    return true;
  }

  #note(request: RpcMessage, asker: Asker): void {
    const errand = stringMember(request.bytes, request.params, "elicitationId");
    if (errand === null) return;
    if (this.#errands.size >= MAX_ERRANDS) this.#errands.delete(this.#errands.keys().next().value!);
    this.#errands.set(errand, asker);
  }

  /** The newest call of the only caller that a question which comes now can be for, or why there is none. */
  #whose(withdrawn: AbortSignal): Flight | string | Promise<Flight | string> {
    const nowMs = this.#clock.now();
    this.#forgetOld(nowMs);
    const possible = [...this.#flights, ...this.#abandoned.keys()].filter(({ owner }) => owner !== null);
    const first = this.#among(possible);
    if (first !== SEVERAL) return first;
    return new Promise((resolve) => {
      const end = (whose: Flight | string): void => {
        this.#unclear.delete(look);
        cancelTimer();
        withdrawn.removeEventListener("abort", look);
        resolve(whose);
      };
      const look = (): void => {
        const whose = withdrawn.aborted ? WITHDRAWN : this.#among(possible);
        if (whose !== SEVERAL) end(whose);
      };
      const cancelTimer = this.#clock.at(nowMs + CLEAR_WITHIN_MS, () => end(SEVERAL));
      withdrawn.addEventListener("abort", look, { once: true });
      this.#unclear.add(look);
    });
  }

  #among(possible: readonly Flight[]): Flight | string {
    const running = possible.filter((flight) => this.#flights.has(flight));
    if (running.length === 0) return NO_CALL;
    const owners = new Set([...running, ...possible.filter((flight) => this.#abandoned.has(flight))].map(({ owner }) => owner));
    if (owners.size > 1) return SEVERAL;
    return running.findLast(({ asker }) => asker !== undefined) ?? running.at(-1)!;
  }
}

interface Putting {
  readonly question: Question;
  readonly whose: Flight;
  readonly withdrawn: AbortController;
}
const TOO_MANY = "Too many questions at once.";
const NO_CALL = "No call is under way whose caller could be asked.";
const SEVERAL = "Calls of several callers are under way, and nothing says which of them the question belongs to.";
const WITHDRAWN = "The question was taken back.";

function refusal(message: string): QuestionAnswer {
  return { error: { code: RPC.serverError, message } };
}

/** For a call of a program, or over REST: a person who does not answer is something that the protocol has, a model or a folder that is not there is not. */
function nobody({ method }: Question): QuestionAnswer {
  if (method === "elicitation/create") return { result: '{"action":"cancel"}' };
  return { error: { code: RPC.methodNotFound, message: `Whoever made this call cannot be asked ${method}.` } };
}

function questionOf(request: RpcMessage): Question | null {
  if (!(QUESTION_METHODS as readonly string[]).includes(request.method)) return null;
  return { method: request.method as QuestionMethod, params: request.params === null ? null : textAt(request.bytes, request.params) };
}

function encoded(id: string, answer: QuestionAnswer): Uint8Array {
  if ("result" in answer) return utf8(`{"jsonrpc":"2.0","id":${id},"result":${answer.result}}`);
  return utf8(`{"jsonrpc":"2.0","id":${id},"error":${JSON.stringify(answer.error)}}`);
}
function failure(id: string, code: number, message: string): Uint8Array {
  return encoded(id, { error: { code, message } });
}
