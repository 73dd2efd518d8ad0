import type { CallHead, ModelHead, Outcome } from "../../calls/index.js";
import { budget } from "../../entities/index.js";
import type { Clock, RecordStore, Unit } from "../../ports/index.js";
import type { EventHub, ResourceActionsTable } from "../../seams/index.js";
import type { GroupCommit } from "../group-commit.js";
import type { AttemptStep, AttemptTarget, OpenCall, Step } from "../step.js";
import { budgetActions } from "./budget-actions.js";
import { DeadCalls } from "./dead/dead-calls.js";
import type { Held } from "./held.js";
import { estimatedUsage } from "./missing-usage.js";
import { OpenCalls } from "./dead/open-calls.js";
import { Reservations } from "./reservations.js";
import { settle, spentBy } from "./settlement.js";
import { Thresholds } from "./thresholds.js";
import { isReading, toolPriceOf, worstToolCase } from "./tool-price.js";
import { beyondBelief, worstCase } from "./worst-case.js";

export interface MoneyOptions {
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly events: EventHub;
  readonly ledger: GroupCommit;
  /** This process among those of its store. */
  readonly nodeId: string;
  /** Where budgets say what they do of the resource API. */
  readonly resources?: ResourceActionsTable | undefined;
  /** What is stored outlives the process: then calls leave a trace while they are under way. */
  readonly durable: boolean;
  /** How long what a call holds stands when nobody renews it, ms. 120,000 when left out. */
  readonly leaseMs?: number | undefined;
  /** How often what others left behind is looked for, ms. 30,000 when left out. */
  readonly lookMs?: number | undefined;
}

const LEASE_MS = 120_000;
const LOOK_MS = 30_000;
const THRESHOLD_LOOK_MS = 250;
/** A call of a durable store is written after so long, if no answer was ready before. */
const UNWRITTEN_MS = 20;

/**
 * What calls cost and who pays: sets money aside before a call, settles it with the call's usage row, tells of what is used up, and settles the calls of processes that are gone.
 * Concurrency: any number of calls and of processes on one store; a window's money is moved by conditional writes alone.
 */
export class Money {
  readonly #o: MoneyOptions;
  readonly #reservations: Reservations;
  readonly #thresholds: Thresholds;
  readonly #open: OpenCalls | null;
  readonly #dead: DeadCalls;
  #cancel: () => void = () => undefined;
  #working: Promise<void> = Promise.resolve();
  #takingOver: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(options: MoneyOptions) {
    this.#o = options;
    const leaseMs = options.leaseMs ?? LEASE_MS;
    const { store, clock, events, nodeId, resources } = options;
    resources?.set(budget.name, budgetActions({ store, clock, resources }));
    this.#reservations = new Reservations({ store, clock, events, nodeId, leaseMs });
    this.#thresholds = new Thresholds({ store, clock, events, lookMs: THRESHOLD_LOOK_MS });
    this.#open = options.durable ? new OpenCalls({ store, clock, events, nodeId, leaseMs, waitMs: UNWRITTEN_MS }) : null;
    const isAlive = (id: string): boolean => this.#reservations.held.has(id) || this.#open?.has(id) === true;
    this.#dead = new DeadCalls({ store, clock, events, isAlive });
  }

  /** Leaves a trace of each call before its caller sees anything of the answer. None for a store that ends with its process. */
  openCalls(): readonly Step[] {
    return this.#open === null ? [] : [this.#open.step()];
  }

  /** Sets aside what a tool call may cost. */
  toolBudget(): Step {
    return {
      name: "tool-budget",
      enter: (call) => (call.head.kind === "tool" ? this.#enterTool(call as OpenCall, call.head) : undefined),
    };
  }

  /** Sets aside what a model call may cost where it is about to go; a fallback to a dearer model sets the difference aside, or is refused. */
  budget(): AttemptStep {
    return { name: "budget", enter: (call, target) => this.#enterModel(call, target) };
  }

  /**
   * Before the usage row is made: what nobody counted is estimated, and a cost that cannot be true is cut to what can. What was used at a price that nobody knows after all costs what was set aside for it,
   * flagged `estimated`: rows and budgets say the same.
   */
  count(call: OpenCall<CallHead>, outcome: Outcome): void {
    const { meter } = call;
    const estimated = estimatedUsage(call);
    if (estimated !== null) meter.note(estimated, meter.pricing?.cost(estimated) ?? null);
    const held = this.#reservations.held.get(call.id);
    if (held !== undefined && isUsedUnpriced(call, outcome) && (held.amountNanoUsd ?? 0) > 0) {
      meter.usage = { ...meter.usage, estimated: true };
      meter.costNanoUsd = held.amountNanoUsd;
      return;
    }
    const cost = meter.costNanoUsd;
    if (cost === null || (held === undefined && Number.isSafeInteger(cost) && cost >= 0)) return;
    const most = held?.most() ?? Number.MAX_SAFE_INTEGER;
    if (Number.isSafeInteger(cost) && cost >= 0 && cost <= most) return;
    meter.usage = { ...meter.usage, estimated: true };
    meter.costNanoUsd = held === undefined ? null : Math.min(most, LARGEST_COST);
    this.#o.events.emit("usage.clamped", { callId: call.id, requestId: call.requestId, saidNanoUsd: cost, costNanoUsd: meter.costNanoUsd });
  }

  /** Hands the ledger's unit of a call that is over on to be written, with the end of what the call holds. */
  write(call: OpenCall<CallHead>, unit: Unit): void | Promise<void> {
    const written = this.#open?.over(call.id) ?? undefined;
    if (!this.#reservations.held.has(call.id)) {
      if (written === undefined) this.#o.ledger.add(unit);
      else
        this.#o.ledger.add(unit, (result) => {
          written();
          if (!result.ok) this.#o.events.emit("internal.error", { where: `writing the ledger (${result.why})`, error: null });
        });
      return;
    }
    return this.#reservations.release(call.id).then((held) => this.#settle(call, held, { unit, written }));
  }

  #settle(call: OpenCall<CallHead>, held: Held | null, o: { readonly unit: Unit; readonly written: (() => void) | undefined }): void {
    if (held === null || !held.stored) return this.#o.ledger.add(o.unit, o.written);
    const done = (spent: boolean): void => {
      o.written?.();
      if (spent) for (const { windowId, budget } of held.shares) this.#thresholds.spent(windowId, budget.thresholds);
    };
    settle(
      {
        callId: call.id,
        shares: held.shares.map(({ windowId, amountNanoUsd, provider }) => ({ windowId, amountNanoUsd, provider })),
        spent: isBegunFilm(call) ? (share) => share.amountNanoUsd : spentBy(call.meter),
        ledger: o.unit,
      },
      { ledger: this.#o.ledger, done },
    );
  }

  /** Begins to renew what live calls hold, and to look for what dead ones left. */
  work(): void {
    if (this.#closed) return;
    const { clock, lookMs = LOOK_MS } = this.#o;
    // Not at the same time in every process.
    this.#cancel = clock.at(clock.now() + lookMs * (0.75 + Math.random() / 2), () => {
      this.#working = this.look().then(() => this.work());
    });
  }

  /** Renews what live calls of this process hold, and settles the calls of dead ones; gives how many. Never rejects: what failed is looked at again. */
  async look(): Promise<number> {
    try {
      await this.#reservations.renew();
      await this.#open?.renew();
      return await this.#dead.settle();
    } catch (error) {
      this.#o.events.emit("internal.error", { where: "settling calls", error });
      return 0;
    }
  }

  /** Processes are gone: settles their calls now, instead of when what those hold has run out. One that is back by then keeps what it has. Never rejects. */
  takeOver(nodeIds: readonly string[]): Promise<void> {
    if (this.#closed) return Promise.resolve();
    const settled = this.#dead.endLeases(nodeIds).then(
      async (ended) => void (ended > 0 && (await this.look())),
      (error: unknown) => this.#o.events.emit("internal.error", { where: "ending what calls of a process that is gone hold", error }),
    );
    this.#takingOver = Promise.all([this.#takingOver, settled]);
    return settled;
  }

  /** After the ledger was drained: tells of what was spent last, and removes what is over. Calls that are still under way are settled by another process, or at the next start. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancel();
    await Promise.all([this.#working, this.#takingOver]);
    await this.#thresholds.look();
    await this.#open?.renew().catch(() => undefined);
  }

  #enterModel(call: OpenCall<ModelHead>, target: AttemptTarget): void | Promise<void> {
    const budgets = this.#reservations.budgetsOf(call, target.provider);
    if (budgets.length === 0) return;
    const amountNanoUsd = worstCase(call.head, target);
    const mostNanoUsd = beyondBelief(call.head, target);
    return this.#reservations.reserve(call, budgets, { provider: target.provider, model: target.model, amountNanoUsd, mostNanoUsd });
  }

  /** A server without a price sells nothing: its calls cost nothing here, and no budget pays for them. */
  #enterTool(call: OpenCall, head: Extract<CallHead, { kind: "tool" }>): void | Promise<void> {
    const price = toolPriceOf(call.snapshot.config, head.server);
    if (price === undefined || isReading(head)) return;
    const budgets = this.#reservations.budgetsOf(call, head.server);
    if (budgets.length === 0) return;
    return this.#reservations.reserve(call, budgets, {
      provider: head.server,
      model: null,
      amountNanoUsd: worstToolCase(price, head),
      mostNanoUsd: null,
    });
  }
}

/** A film is paid for when it is done, which is another call's affair: until then its budgets pay what was set aside. */
function isBegunFilm({ head, meter }: OpenCall<CallHead>): boolean {
  if (head.kind !== "model" || head.operation !== "video" || meter.costNanoUsd !== null) return false;
  return meter.attempts > (meter.failures?.length ?? 0);
}

/** Something was used, or an answer came, and its cost is not known. */
function isUsedUnpriced(call: OpenCall<CallHead>, outcome: Outcome): boolean {
  const { meter } = call;
  if (call.head.kind !== "model" || meter.costNanoUsd !== null || isBegunFilm(call)) return false;
  if (Object.values(meter.usage).some((said) => said !== undefined)) return true;
  return (outcome.kind === "done" || outcome.started) && meter.attempts > (meter.failures?.length ?? 0);
}

/** Far above any call, far below what a window's numbers can hold. */
const LARGEST_COST = 1_000_000_000_000_000;
