import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import { textAt } from "../frames/json-scan.js";
import { member, stringMember } from "../frames/message.js";
import { META } from "../frames/protocol.js";
import type { JsonObject } from "../../calls/index.js";
import type { Bridged, BridgedCall } from "./bridged-call.js";
import { bridgeable, canBeAsked, missingFor, takesTasks } from "./capabilities.js";
import { comeBack } from "./parked/come-back.js";
import { GuardedAsker } from "./guarded-asker.js";
import { guardedQuestion, guardedRequests, guardedResponses } from "./guarded-texts.js";
import { HeldCall, type Replied, type Told } from "./held-call.js";
import { inputRequestsOf, isInputRequired, taskIdOf, urlErrands } from "./input-required.js";
import { NO_RETRY, responsesOf, type Retry } from "./members.js";
import { missingCapability } from "./missing-capability.js";
import type { ParkedRows } from "./parked/parked-rows.js";
import { encodeQuestions } from "./parked/parked-texts.js";
import type { Parking, ParkingLimits } from "./parked/parking.js";
import type { ClientCapabilities, Question } from "./question.js";
import type { Bond, Carried, OpenedState, RequestStates } from "./parked/request-state.js";
import type { Tasks } from "./parked/tasks.js";
import type { UsedStates } from "./parked/used-states.js";

/** A call that waits for answers is open at its server for no longer than this beyond its own time, however often it asks. */
const LONGEST_MS = 3_600_000;

export interface ModernCallsOptions {
  readonly clock: Clock;
  readonly states: RequestStates;
  readonly used: UsedStates;
  readonly rows: ParkedRows;
  readonly parking: Parking;
  readonly tasks: Tasks;
  readonly limits: () => ParkingLimits;
}

/** What one request of a client since 2026-07-28 says beside its call. */
interface Said {
  readonly o: BridgedCall;
  readonly declared: ClientCapabilities;
  /** Made only for a state: it reads the arguments. */
  readonly bond: () => Bond;
  /** JSON text of an object; null: it answers nothing. */
  readonly responses: string | null;
}
type Kept = { readonly id: string; readonly round: number } | null;

/**
 * Calls of clients since 2026-07-28, which are asked by an answer that wants input, and come again with it. A server of the same era keeps nothing: its state goes through the client in ours. One up to 2025-11-25 waits in the middle of
 * its call, which is kept open meanwhile.
 */
export class ModernCalls {
  readonly #o: ModernCallsOptions;
  constructor(options: ModernCallsOptions) {
    this.#o = options;
  }

  /** Errors: `validation_failed` for a state that is not of this call or was used before, `unsupported_feature` with what the client would have to declare, `outcome_unknown`, `overloaded`, those of the way. */
  async run(o: BridgedCall): Promise<Bridged> {
    const given = saidBy(o);
    const opened = this.#opened(given);
    const carried = opened?.carried;
    // Before anything is used up: who is refused may answer otherwise.
    const said = await lookedAt(given);
    if (carried?.kind === "held") return this.#goOn(said, carried);
    if (opened !== null) await this.#o.used.use(opened);
    // A server may ask without a state, and then takes answers without one.
    const theirs = carried?.kind === "relay" ? carried.theirs : null;
    const retry = carried?.kind === "again" ? NO_RETRY : { inputResponses: said.responses, requestState: theirs };
    return this.#first(said, this.#begin(said, retry, opened));
  }

  /** A client that takes tasks is told of one, where its server knows none, as soon as the call asks or takes long. */
  async #first(said: Said, held: HeldCall): Promise<Bridged> {
    const { o, declared } = said;
    if (o.tasks === null || !takesTasks(declared)) return this.#tell(said, held, null);
    const { clock, tasks, limits } = this.#o;
    const next = await held.next({ signal: o.signal, deadlineMs: o.deadlineMs, slowAtMs: clock.now() + limits().taskAfterMs });
    const isTheirs = !o.tasks.isLegacy();
    if (next.kind === "reply" || (next.kind === "slow" && isTheirs) || held.isOver) return this.#tell(said, held, null);
    held.onNotice = undefined;
    held.finish = o.tasks.finish;
    return { kind: "task", members: await tasks.create(held, { ...placeOf(o), tool: o.tasks.tool }) };
  }

  #opened({ o, bond }: Said): OpenedState | null {
    const { bytes, params } = o.rpc.message;
    if (member(params, "requestState") === null) return null;
    const opened = this.#o.states.open(stringMember(bytes, params, "requestState") ?? "", bond());
    if (opened !== null) return opened;
    throw new GatewayError(
      "validation_failed",
      "The requestState is not of this call: it was changed, has expired, or belongs to another call or caller.",
      {
        hint: "Make the call anew, without it.",
      },
    );
  }

  #begin(said: Said, retry: Retry, opened: OpenedState | null): HeldCall {
    const { o, declared } = said;
    const held = new HeldCall({ clock: this.#o.clock, capabilities: declared });
    held.onNotice = o.onNotice;
    held.guard = o.guard;
    // Answers come with requests, and are looked at then.
    const asker = new GuardedAsker(held, { guard: () => held.guard(), seesAnswers: false, end: (error) => held.cancel(error) });
    const { extensions: _tasks, ...others } = declared;
    const capabilities = JSON.stringify(o.tasks === null ? others : declared);
    const sent = o.send({
      ...{ signal: held.signal, deadlineMs: canWait(said) ? o.deadlineMs + LONGEST_MS : o.deadlineMs, asker, capabilities, retry },
      onNotice: o.onNotice === undefined ? undefined : (notice) => held.onNotice?.(notice),
    });
    held.start(opened === null ? sent : this.#orGivenBack(sent, opened));
    return held;
  }

  async #orGivenBack(sent: Promise<Replied>, opened: OpenedState): Promise<Replied> {
    try {
      return await sent;
    } catch (error) {
      await this.#o.used.failed(opened, error);
      throw error;
    }
  }

  async #goOn(said: Said, carried: Extract<Carried, { kind: "held" }>): Promise<Bridged> {
    const { o } = said;
    const { signal, deadlineMs } = o;
    const { clock, rows, parking } = this.#o;
    const responses = responsesOf(said.responses ?? "{}");
    const came = await comeBack({ rows, parking }, { ...carried, responses, signal, deadlineMs, now: () => clock.now() });
    if (came.at === "there") return this.#told(said, came.told, { id: carried.row, round: came.round });
    came.held.onNotice = o.onNotice;
    came.held.guard = o.guard;
    came.held.answer(responses);
    return this.#tell(said, came.held, { id: carried.row, round: carried.round });
  }

  /** The next thing that there is to tell of a call that this process keeps. */
  async #tell(said: Said, held: HeldCall, kept: Kept): Promise<Bridged> {
    const { parking } = this.#o;
    try {
      const { signal, deadlineMs } = said.o;
      const told = await held.next({ signal, deadlineMs: canWait(said) ? deadlineMs : null });
      if (told.kind === "slow") throw new GatewayError("internal", "A call is slow that nobody timed.");
      if (told.kind === "reply") {
        if (kept !== null) await parking.forget(kept.id);
        return this.#reply(said, told.replied, kept !== null);
      }
      held.onNotice = undefined;
      if (kept === null) return this.#told(said, told, await parking.keep(held, { kind: "call", ...placeOf(said.o), tool: "" }));
      return this.#told(said, told, { id: kept.id, round: await parking.askAgain(kept.id) });
    } catch (error) {
      if (kept !== null) await parking.forget(kept.id);
      throw error;
    }
  }

  #told(said: Said, told: Told, kept: NonNullable<Kept>): Bridged | Promise<Bridged> {
    if (told.kind === "reply") return this.#reply(said, told.replied, true);
    return this.#input(said, told.questions, { kind: "held", row: kept.id, round: kept.round });
  }

  async #reply(said: Said, given: Replied, isLate: boolean): Promise<Bridged> {
    const { reply } = given;
    if (isInputRequired(reply)) {
      refuseUndeclared(inputRequestsOf(reply), said.declared);
      const guard = said.o.guard();
      const replied = guard === null ? given : { ...given, reply: await guardedRequests(reply, guard, said.o.signal) };
      const state = member(reply.result, "requestState");
      const carried: Carried = { kind: "relay", theirs: state === null ? null : textAt(reply.bytes, state) };
      return { kind: "reply", replied, state: this.#seal(said, carried), isLate };
    }
    const theirs = said.o.tasks === null || !takesTasks(said.declared) ? null : taskIdOf(reply);
    if (theirs !== null) {
      const { server, ...owner } = placeOf(said.o);
      const { tool } = said.o.tasks!;
      return { kind: "reply", replied: given, state: null, taskId: this.#o.tasks.handleOf(theirs, { server, tool }, owner), isLate };
    }
    const errands = urlErrands(reply);
    if (errands === null) return { kind: "reply", replied: given, state: null, isLate };
    const guard = said.o.guard();
    if (guard !== null) for (const [key, errand] of errands) errands.set(key, await guardedQuestion(errand, guard, said.o.signal));
    return this.#input(said, errands, { kind: "again" });
  }

  #input(said: Said, questions: ReadonlyMap<string, Question>, carried: Carried): Bridged {
    refuseUndeclared(questions, said.declared);
    return { kind: "input", requests: encodeQuestions(questions), state: this.#seal(said, carried) };
  }

  #seal({ bond }: Said, carried: Carried): string {
    const { states, clock, limits } = this.#o;
    return states.seal(carried, bond(), clock.now() + limits().waitMs);
  }
}

function saidBy(o: BridgedCall): Said {
  const { rpc, asked } = o;
  const { bytes, params, method } = rpc.message;
  const declaration = member(member(params, "_meta"), META.clientCapabilities);
  const isEmpty = declaration === null || declaration.end - declaration.start === "{}".length;
  const declared = isEmpty ? NOTHING : bridgeable(JSON.parse(textAt(bytes, declaration)) as JsonObject);
  const responses = member(params, "inputResponses");
  if (responses !== null && bytes[responses.start] !== 0x7b)
    throw new GatewayError("validation_failed", '"inputResponses" is not an object.');
  const bond = (): Bond => ({ ...placeOf(o), method, asked: asked() });
  return { o, declared, bond, responses: responses === null ? null : textAt(bytes, responses) };
}

const NOTHING: ClientCapabilities = {};

/** The answers that it brings, as guardrails leave them. Errors: theirs. */
async function lookedAt(said: Said): Promise<Said> {
  const guard = said.responses === null ? null : said.o.guard();
  return guard === null ? said : { ...said, responses: await guardedResponses(said.responses!, guard, said.o.signal) };
}

/** A client that nothing can be asked never comes for a call again: its call has the time of its request. */
function canWait({ declared }: Said): boolean {
  return canBeAsked(declared) || takesTasks(declared);
}

function placeOf({ rpc, server }: BridgedCall) {
  const { id, keyId } = rpc.o.caller;
  return { callerId: id, credentialId: keyId ?? id, address: rpc.view.key, server };
}

/** Nothing is asked that the client did not declare. Errors: `unsupported_feature`. */
function refuseUndeclared(questions: ReadonlyMap<string, Question>, declared: ClientCapabilities): void {
  for (const question of questions.values()) {
    const missing = missingFor(question, declared);
    if (missing !== null) throw missingCapability(missing);
  }
}
