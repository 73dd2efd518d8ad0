import { addUsage, type Caller, type Message, type ModelCall, type RunEvent, type ToolDefinition, type Usage } from "../calls/index.js";
import { run, type RunRow } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import type { CommitQueue } from "../ports/commit-queue.js";
import { now, nowPlus, update, type Change, type Unit, type Write } from "../ports/index.js";
import type { HeldLease, LeaseKeeper } from "../ports/lease-keeper.js";
import type { CallOptions, Services } from "../seams/index.js";
import { toWellFormed } from "../util/well-formed.js";
import { allowedTools } from "./allowed-tools.js";
import { callsOf, conversation, readJournal, visibleText, type Turn } from "./journal.js";
import { modelStep } from "./model-step.js";
import type { RunFeed } from "./run-feed.js";
import { callerOf, optionsOf } from "./run-request.js";
import { isRefusal, RunWriter } from "./run-writer.js";
import { toolStep, waitingOf } from "./tool-step.js";
import { fruitless, isComplete, isFinal, stepLimit } from "./turn-end.js";

export interface RunAttemptOptions {
  readonly services: Services;
  readonly queue: CommitQueue;
  readonly keeper: LeaseKeeper;
  readonly feed: RunFeed;
  readonly leaseMs: number;
  readonly maxParallelTools: number;
  readonly onSignInNeeded: () => "wait" | "fail";
  /** As it was taken, and the monotonic time just before that. */
  readonly row: RunRow;
  readonly takenAtMs: number;
}

interface RunEnd {
  readonly status: "succeeded" | "failed" | "cancelled";
  readonly event: RunEvent;
  readonly set: NonNullable<Change<RunRow>["set"]>;
}

const STORE_TIMEOUT_MS = 10_000;
/** How long what is left is tried to be written while the process is stopping. */
const LAST_WRITES_MS = 1500;
/** A run is given up when this many processes in a row took it and completed nothing. */
const MAX_FRUITLESS_ATTEMPTS = 5;

/**
 * One attempt at a run by this process, from where its journal ends: asks the model, makes the tool calls that it wants, and again, until an answer wants none. A step that is complete is never repeated; a model
 * call that was begun is; a tool call that was begun and has no outcome fails the run with `outcome_unknown`.
 */
export class RunAttempt {
  readonly #o: RunAttemptOptions;
  readonly #caller: Caller;
  readonly #controller = new AbortController();
  readonly #lease: HeldLease;
  #writer: RunWriter | null = null;
  #turns: Turn[] = [];
  /** What the model is sent before the turns: the input, after what its session said. */
  #input: readonly Message[] = [];
  #usage: Usage = {};
  #step = 0;
  /** Visible text of the last answer, complete or not. */
  #text = "";
  #draining = false;
  /** Unix ms by the process's clock. */
  #deadlineMs = 0;
  #cancelTimeout: () => void = () => undefined;

  constructor(options: RunAttemptOptions) {
    const { row, leaseMs } = options;
    this.#o = options;
    this.#caller = callerOf(row);
    this.#lease = options.keeper.hold(
      { id: row.id, leaseMs, renewal: () => this.#renewal(), onLost: (why) => this.stop(why) },
      options.takenAtMs,
    );
  }

  get attempt(): number {
    return this.#o.row.attempt;
  }

  /** Ends it as soon as may be, with this as the reason: `cancelled`, `limit_reached`, `lease_lost` or `shutting_down`. The first reason counts. */
  stop(why: GatewayError): void {
    if (why.code === "lease_lost") this.#writer?.lose(why);
    if (this.#controller.signal.aborted) return;
    this.#controller.abort(why);
    if (why.code !== "shutting_down") return;
    // A store that is away must not keep the process: the lease then runs out by itself.
    const { clock } = this.#o.services;
    clock.at(clock.now() + LAST_WRITES_MS, () => this.#writer?.lose(why));
  }

  /** Lets the step that is under way come to its end, and then goes no further. */
  drain(): void {
    this.#draining = true;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#toTheEnd();
    } catch (error) {
      await this.#stopped(error)
        .catch((second: unknown) => this.#refused(second))
        .catch((last: unknown) => this.#leftToOthers(last));
    } finally {
      this.#cancelTimeout();
      this.#lease.release();
    }
  }

  async #toTheEnd(): Promise<void> {
    const writer = await this.#begin();
    const { row, services } = this.#o;
    const wanted = { tools: services.seams.tools.get(), caller: this.#caller, globs: row.tools, signal: this.#controller.signal };
    const tools = await allowedTools({ ...wanted, isNew: this.#turns.length === 0 }).catch((error: unknown) => this.#signInOf(error));
    if (typeof tools === "string") return this.#wait(writer, [tools]);
    this.#input = await this.#context();
    let turn = this.#turns.at(-1) ?? null;
    for (;;) {
      this.#mayGoOn();
      if (turn === null || isComplete(turn)) turn = await this.#askModel(writer, tools);
      const calls = callsOf(turn).length;
      if (calls === 0 && isFinal(turn)) return this.#succeed(writer, turn);
      if (turn.step >= optionsOf(this.#o.row).maxSteps) throw stepLimit(turn.step);
      this.#mayGoOn();
      if (calls > 0) await this.#useTools(writer, { turn, tools });
      if (turn.parked.size > 0) return this.#wait(writer, [...turn.parked.values()]);
    }
  }

  /** The sign-in that the run waits for before its first step, once; else throws the error. */
  #signInOf(error: unknown): string {
    const { waitingSinceMs, waitedMs } = this.#o.row;
    const waiting = GatewayError.is(error) ? waitingOf(error) : null;
    if (waiting === null || waitingSinceMs !== null || waitedMs !== null || this.#o.onSignInNeeded() === "fail") throw error;
    return waiting.itemId;
  }

  /** Asked before every step. Throws why not. */
  #mayGoOn(): void {
    this.#controller.signal.throwIfAborted();
    if (this.#draining) throw new GatewayError("shutting_down", "The process is closing; another one goes on.");
  }

  /** Reads the journal, starts the clock of the run's time limit, and tells readers who goes on from where. */
  async #begin(): Promise<RunWriter> {
    const { row, services } = this.#o;
    const writer = await this.#openWriter();
    this.#writer = writer;
    if (row.cancelRequested) this.stop(new GatewayError("cancelled", row.cancelReason ?? ""));
    const replay = await readJournal(services.store, row, () => this.#within());
    writer.continueJournal(replay.lastSeq);
    this.#turns = [...replay.turns];
    this.#usage = replay.usage;
    const last = replay.turns.at(-1);
    this.#step = last?.step ?? 0;
    this.#text = last === undefined ? "" : visibleText(last.content);
    this.#controller.signal.throwIfAborted();
    const inVain = row.attempt - 1 - replay.lastProgress;
    if (inVain >= MAX_FRUITLESS_ATTEMPTS) throw fruitless(inVain, this.#step + 1);
    this.#limitTime();
    const first = row.attempt === 1;
    await writer.write({
      events: [first ? { type: "run.started", attempt: 1 } : { type: "run.resumed", attempt: row.attempt, afterStep: this.#step }],
      set: row.startedAtMs === null ? { startedAtMs: now } : { waitedMs: this.#waitedMs(), waitingSinceMs: null },
    });
    services.events.emit("run.changed", { runId: row.id, status: "running" });
    return writer;
  }

  async #openWriter(): Promise<RunWriter> {
    const { services, queue, row, leaseMs, feed } = this.#o;
    return new RunWriter({
      queue,
      clock: services.clock,
      row,
      leaseMs,
      lastEventSeq: row.attempt === 1 ? 0 : await feed.lastSeq(row.id, { projects: [row.projectId] }),
      lease: this.#lease,
      onStored: () => feed.tell("run.event", row.id),
      onFailed: (error) => this.stop(error),
    });
  }

  /** The time limit counts from the first start, by the store's clock, over all attempts. */
  #limitTime(): void {
    const { row, leaseMs, services } = this.#o;
    const { timeoutMs } = optionsOf(row);
    const takenByStoreMs = row.leaseUntilMs - leaseMs;
    const leftMs = timeoutMs - (row.startedAtMs === null ? 0 : takenByStoreMs - row.startedAtMs - this.#waitedMs());
    this.#deadlineMs = services.clock.now() + Math.max(0, leftMs);
    this.#cancelTimeout = services.clock.at(this.#deadlineMs, () =>
      this.stop(
        new GatewayError("limit_reached", `The run reached its time limit of ${timeoutMs} ms.`, {
          hint: "Give it more with timeoutMs, or less to do.",
          details: { timeoutMs },
        }),
      ),
    );
  }

  /** How long it waited for people, by the store's clock. */
  #waitedMs(): number {
    const { row, leaseMs } = this.#o;
    return (row.waitedMs ?? 0) + (row.waitingSinceMs === null ? 0 : Math.max(0, row.leaseUntilMs - leaseMs - row.waitingSinceMs));
  }

  async #askModel(writer: RunWriter, tools: ReadonlyMap<string, ToolDefinition>): Promise<Turn> {
    const { row, services } = this.#o;
    const { maxSteps } = optionsOf(row);
    if (this.#step >= maxSteps) throw stepLimit(maxSteps);
    const messages = conversation(this.#input, this.#turns);
    const step = ++this.#step;
    this.#text = "";
    const started = { type: "step.started", step, model: row.model } as const;
    await writer.write({ events: [started], journal: [{ kind: "model.begun", step, body: { model: row.model } }] });
    const answer = await modelStep({
      models: services.seams.models.get(),
      clock: services.clock,
      options: this.#callOptions(),
      call: {
        model: row.model,
        messages,
        ...this.#modelOptions(),
        ...(tools.size === 0 ? {} : { tools: [...tools.values()].map(toSpec) }),
      },
      onDelta: (kind, text) => {
        if (kind === "text") this.#text += text;
        return writer.delta({ type: `${kind}.delta`, step, text });
      },
      onWaste: (usage) => void (this.#usage = addUsage(this.#usage, usage)),
      onRestart: () => {
        this.#text = "";
        writer.write({ events: [started] }).catch(() => undefined); // the writer tells us itself
      },
    });
    const { content, finishReason, cutCall, usage } = answer;
    this.#usage = addUsage(this.#usage, usage);
    const turn: Turn = { step, content, finishReason, cutCall, outcomes: new Map(), begun: new Set(), parked: new Map() };
    await writer.write({
      events: [{ type: "step.finished", step, finishReason, usage }],
      journal: [{ kind: "model.done", step, body: { content, finishReason, cutCall, usage } }],
      set: { steps: step },
    });
    this.#turns.push(turn);
    return turn;
  }

  /** The input, after what its session has to say: as it stood when the run was stored, whoever carries it on. */
  #context(): Promise<readonly Message[]> | readonly Message[] {
    const { row, services } = this.#o;
    const input = row.input as Message[];
    const { session } = optionsOf(row);
    if (session === undefined) return input;
    const { projectId } = row;
    return services.seams.conversations.get().context(session, { projectId, input, options: this.#callOptions() });
  }

  /** What of its session's turn is written with the end: its messages, if it came to its own end, and that the turn is over. */
  #turnEnd(status: RunEnd["status"]): readonly Write[] {
    const { row, services } = this.#o;
    const { session } = optionsOf(row);
    if (session === undefined) return [];
    const messages = status === "succeeded" ? conversation(row.input as Message[], this.#turns) : null;
    const ended = messages === null ? null : { messages, model: row.model, usage: this.#usage };
    const { id: runId, projectId } = row;
    return services.seams.conversations.get().closing(session, { projectId, runId, callerId: this.#caller.id, ended });
  }

  #modelOptions(): Pick<ModelCall, "temperature" | "maxOutputTokens" | "output"> {
    const { temperature, maxOutputTokens, format } = optionsOf(this.#o.row);
    return {
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(format === undefined ? {} : { output: format }),
    };
  }

  #useTools(writer: RunWriter, o: { readonly turn: Turn; readonly tools: ReadonlyMap<string, ToolDefinition> }): Promise<void> {
    const { row, services, maxParallelTools } = this.#o;
    return toolStep({
      runId: row.id,
      tools: services.seams.tools.get(),
      allowed: o.tools,
      turn: o.turn,
      options: this.#callOptions(),
      writer,
      maxParallel: maxParallelTools,
      verdict: (id) => services.seams.inbox.get().verdict(id),
      onSignInNeeded: this.#o.onSignInNeeded(),
    });
  }

  /** Lets go of the run until a person has decided. What was decided just before that would wake nobody: so it is asked once more. */
  async #wait(writer: RunWriter, items: readonly string[]): Promise<void> {
    const { row, services } = this.#o;
    this.#mayGoOn();
    await writer.wait(items);
    services.events.emit("run.changed", { runId: row.id, status: "waiting" });
    const verdicts = await Promise.all(items.map((id) => services.seams.inbox.get().verdict(id)));
    if (verdicts.some((verdict) => verdict?.status !== "pending")) await services.seams.runs.get().wake(row.id, row.projectId);
  }

  async #succeed(writer: RunWriter, turn: Turn): Promise<void> {
    const text = visibleText(turn.content);
    const end = { type: "run.succeeded", text, output: text, usage: this.#usage, steps: this.#step } as const;
    await this.#end(writer, { status: "succeeded", event: end, set: { text, output: text } });
  }

  /** Why it did not come to its own end decides what is written, if anything is. */
  async #stopped(thrown: unknown): Promise<void> {
    const { signal } = this.#controller;
    const error = GatewayError.from(signal.aborted ? signal.reason : thrown);
    const writer = this.#writer;
    if (writer === null || error.code === "lease_lost" || error.code === "store_unavailable") return this.#leftToOthers(error);
    if (error.code === "shutting_down") {
      this.#o.services.log.info("run: given back, for another process to go on", { run: this.#o.row.id, step: this.#step });
      return writer.release();
    }
    if (error.code === "cancelled" && signal.aborted) return this.#cancel(writer, error.message);
    if (error.code === "internal")
      this.#o.services.events.emit("internal.error", { where: `run ${this.#o.row.id}`, error: error.cause ?? error });
    await this.#fail(writer, error);
  }

  async #fail(writer: RunWriter, error: GatewayError): Promise<void> {
    const { code } = error;
    const message = toWellFormed(error.message);
    const end = { type: "run.failed", code, message, step: this.#step, usage: this.#usage } as const;
    const set = { error: { code, message, step: this.#step }, text: this.#text || null };
    await this.#end(writer, { status: "failed", event: end, set });
  }

  /** The store will not take how it ended, whoever writes it: it ends all the same, without a word of anybody's. */
  async #refused(error: unknown): Promise<void> {
    if (this.#writer === null || !isRefusal(error)) throw error;
    const { code, message } = GatewayError.from(error);
    this.#o.services.log.warn("run: the store refused how it ended", { run: this.#o.row.id, step: this.#step, code, message });
    this.#text = "";
    await this.#fail(this.#writer, new GatewayError(code, "The store refused what the run came to."));
  }

  async #cancel(writer: RunWriter, reason: string): Promise<void> {
    const end = { type: "run.cancelled", reason, text: this.#text, usage: this.#usage } as const;
    const set = { text: this.#text || null, cancelRequested: true, cancelReason: reason };
    await this.#end(writer, { status: "cancelled", event: end, set });
  }

  /** The last write. A run whose cancellation was accepted ends as cancelled, whatever it came to. */
  async #end(writer: RunWriter, o: RunEnd): Promise<void> {
    const { row, services } = this.#o;
    try {
      const set = { ...o.set, usage: { ...this.#usage }, steps: this.#step };
      await writer.end(o.status, o.event, { set, also: this.#turnEnd(o.status) });
    } catch (refused) {
      if (o.status === "cancelled" || !GatewayError.is(refused, "cancelled")) throw refused;
      return this.#cancel(writer, refused.message);
    }
    services.events.emit("run.changed", { runId: row.id, status: o.status });
  }

  /** Nothing more is written: the run is another process's, or will be when the lease has run out. */
  #leftToOthers(error: unknown): void {
    const { code } = GatewayError.from(error);
    this.#o.services.log.warn("run: left to whichever process takes it next", { run: this.#o.row.id, step: this.#step, code });
  }

  #callOptions(): CallOptions {
    const { row } = this.#o;
    return {
      caller: this.#caller,
      requestId: row.id,
      signal: this.#controller.signal,
      deadlineMs: this.#deadlineMs,
      depth: 1,
      runId: row.id,
    };
  }

  #renewal(): Unit {
    const { row, leaseMs } = this.#o;
    const where = { attempt: row.attempt, status: "running", leaseUntilMs: { gt: now } } as const;
    return {
      scope: { projects: [row.projectId] },
      writes: [update(run, row.id, { change: { set: { leaseUntilMs: nowPlus(leaseMs) } }, where })],
    };
  }

  #within() {
    return { deadlineMs: this.#o.services.clock.now() + STORE_TIMEOUT_MS };
  }
}

function toSpec(tool: ToolDefinition): { name: string; description?: string; inputSchema: ToolDefinition["inputSchema"] } {
  const { name, description, inputSchema } = tool;
  return { name, ...(description === undefined ? {} : { description }), inputSchema };
}
