import {
  type Answer,
  type Caller,
  type ExplainOptions,
  type HttpAnswer,
  type LiveAnswer,
  type ModelCall,
  type ModelEvent,
  type ModelHead,
  type OperationName,
  type Operations,
  type ProtocolId,
  type RouteExplanation,
} from "../calls/index.js";
import type { Snapshot } from "../config/snapshot.js";
import { GatewayError } from "../errors/index.js";
import { LiveCall } from "../policy/live-call.js";
import { hearsEvents, runSteps, sightOf } from "../policy/run-steps.js";
import type { AttemptStep, Content, OpenCall, Step } from "../policy/step.js";
import type { HttpClient } from "../ports/index.js";
import type { Providers, Reach } from "../providers/index.js";
import {
  MAX_DEPTH,
  type CallOptions,
  type ListedModel,
  type ModelCaller,
  type Operated,
  type Services,
  type WireCall,
} from "../seams/index.js";
import { newId } from "../util/ids.js";
import type { Codec } from "../wire/shared/codec.js";
import { answerHeaders } from "./lanes/answer-headers.js";
import type { Attempt } from "./lanes/attempt.js";
import { askForEvents, type Question } from "./lanes/ask-target.js";
import { attemptAll } from "./attempt-all.js";
import { conversationOfBytes, conversationOfCall, type Conversation } from "./affinity/conversation.js";
import { Health } from "./health/health.js";
import { drain, folded, framed } from "./encode-answer.js";
import { findModel, listModels } from "./list-models.js";
import { neutralHead } from "./neutral-head.js";
import { operatedAnswer, operateOnce, type OperatedAt, type OperationResult } from "./operations/operate.js";
import { operationContent, operationHead } from "./operations/operation-head.js";
import { answerEvents, answerWith, withTexts } from "./operations/operation-texts.js";
import { orderTargets } from "./order-targets.js";
import { fileReader } from "./lanes/prepare/own-files.js";
import { mayNameHandles } from "./lanes/prepare/vendor-handles.js";
import { canRelay, relayLane, type WireRequest } from "./lanes/relay-lane.js";
import { resolve, type Names, type Resolution, type Target } from "./resolve.js";
import { explainRoute } from "./routes/explain-route.js";
import { routeContext } from "./routes/route-context.js";
import { Shadows } from "./routes/shadows.js";
import { Withheld } from "./routes/withheld.js";
import { translateLane } from "./lanes/translate-lane.js";
import type { Wires } from "./lanes/wires.js";
import { OpaqueTokens, type HeldCall } from "./opaque/index.js";

export interface RoutingOptions {
  readonly providers: Providers;
  readonly http: HttpClient;
  /** The protocols that are spoken, one codec each. */
  readonly codecs: readonly Codec[];
  /** What every call passes, in this order. */
  readonly steps: readonly Step<ModelHead, ModelEvent>[];
  /** What every attempt passes before its provider is dialed; nothing when left out. */
  readonly attemptSteps?: readonly AttemptStep[] | undefined;
  readonly snapshot: () => Snapshot;
  /** The purpose key `opaque-tokens`; made for this process when left out. */
  readonly tokenKey?: (() => Uint8Array) | undefined;
  /** For what is drawn and for the waits between attempts; `Math.random` when left out. */
  readonly random?: (() => number) | undefined;
}

/** A call on its way, and what its name meant. */
interface Opened {
  readonly live: LiveCall<ModelHead>;
  /** The error that a name without a meaning ends with, once the steps have let the call through. */
  readonly resolution: Resolution | GatewayError;
  /** Read from the call when it is first asked for. */
  readonly conversation: () => Conversation;
}

const ownKey = (key: Uint8Array) => () => key;
const NO_CONVERSATION: Conversation = { session: null, prefix: null };

/**
 * Model calls, from a name to an answer: resolves the name, lets the call through its steps, and tries its targets in order until one answers. Any number of
 * calls at once; they share nothing but the providers' key pools and what routes know of their targets' health.
 */
export class RoutingModelCaller implements ModelCaller {
  readonly #services: Services;
  readonly #o: RoutingOptions;
  readonly #codecs: ReadonlyMap<ProtocolId, Codec>;
  readonly #wires: Wires;
  readonly #random: () => number;
  readonly #hears = (live: OpenCall): boolean => hearsEvents(this.#o.steps, live as OpenCall<ModelHead>);
  readonly #redact = (text: string): string => this.#services.redactor.redact(text);
  readonly #health = new Health();
  readonly #shadows: Shadows;

  constructor(services: Services, options: RoutingOptions) {
    this.#services = services;
    this.#o = options;
    this.#codecs = new Map(options.codecs.map((codec) => [codec.protocol, codec]));
    const { store, clock, crypto, events } = services;
    const onError = (error: unknown): void => events.emit("internal.error", { where: "keeping vendors' tokens", error });
    const tokens = new OpaqueTokens({ store, clock, crypto, key: options.tokenKey ?? ownKey(crypto.random(32)), onError });
    const readFile = fileReader(services);
    this.#wires = { http: options.http, clock, tokens, readFile, codecOf: (protocol) => this.#codecs.get(protocol) ?? null };
    this.#random = options.random ?? Math.random;
    this.#shadows = new Shadows(services.log);
  }

  async relay(wire: WireCall, o: CallOptions): Promise<HttpAnswer> {
    const codec = this.#codecs.get(wire.protocol);
    if (codec === undefined) throw new GatewayError("misconfigured", `This gateway has no codec for ${wire.protocol}.`);
    const head = codec.scanHead(wire.bytes, wire.path);
    const decode = (): Content => ({ kind: "model", call: codec.decodeRequest(wire.bytes, wire.path) });
    const opened = this.#open(head.name, o, {
      decode,
      headOf: (name) => (name === head.name ? head : { ...head, name }),
      conversation: () => conversationOfBytes(wire.bytes, o.sessionId),
      wire,
    });
    const request: WireRequest = { bytes: wire.bytes, head, codec, headers: wire.headers, rawIds: mayNameHandles(o.caller) };
    const answer = await runSteps(this.#o.steps, opened.live, () => this.#dispatch(opened, request));
    const { body } = answer;
    if (body.kind !== "events") return { ...answer, body };
    return head.stream
      ? framed(answer, body.events, { codec, live: opened.live, includeUsage: head.wantsUsage })
      : folded(answer, body.events, { codec, live: opened.live });
  }

  async call(call: ModelCall, o: CallOptions): Promise<LiveAnswer<ModelEvent>> {
    const opened = this.#open(call.model, o, {
      decode: () => ({ kind: "model", call }),
      headOf: (name, protocol) => neutralHead(call, { name, protocol }),
      conversation: () => conversationOfCall(call, o.sessionId),
    });
    return runSteps(this.#o.steps, opened.live, () => {
      const question = this.#question(opened.live, null);
      const once = async (attempt: Attempt): Promise<Answer<ModelEvent>> => {
        const { answer, ...told } = await askForEvents(attempt, question, this.#wires);
        const headers = answerHeaders({ stream: true, meter: attempt.call.meter, ...told });
        return { status: 200, headers, body: { kind: "events", events: answer } };
      };
      return this.#attempts(opened, once, question);
    });
  }

  async operate<K extends OperationName>(name: K, call: Operations[K]["call"], o: CallOptions): Promise<Operated<K>> {
    const { answer, headers } = await this.operateAt(name, call, o);
    return { answer, headers };
  }

  /** The same, and what answered: for what has to be followed there. */
  async operateAt<K extends OperationName>(name: K, call: Operations[K]["call"], o: CallOptions): Promise<OperatedAt<K>> {
    const opened = this.#open(call.model, o, {
      decode: () => ({ kind: "model", call: operationContent(name, call) }),
      headOf: (full, protocol) => operationHead(name, call, { name: full, protocol }),
    });
    // By what the steps hand on: of two attempts that ran side by side, one answered.
    const results = new Map<unknown, OperationResult<K>>();
    let result: OperationResult<K> | undefined;
    const { live } = opened;
    const { headers, body, done } = await runSteps(this.#o.steps, live, async () => {
      const said = live.isReplaced ? withTexts(name, call, contentOf(live)) : call;
      const answer = await this.#attempts(opened, async (attempt) => {
        const answered = await operateOnce(attempt, { name, call: said }, this.#wires);
        const told = operatedAnswer(live.meter, answered.warnings);
        results.set(told.body, answered);
        return told;
      });
      result = results.get(answer.body);
      if (result === undefined || !hearsEvents(this.#o.steps, live)) return answer;
      return { ...answer, body: { kind: "events", events: answerEvents(result.answer) } };
    });
    if (result === undefined) throw new GatewayError("internal", "A step answered an operation that it cannot know.");
    try {
      const answer = body.kind === "events" ? await answerWith<K>(result.answer, body.events) : result.answer;
      done("sent");
      return { ...result, answer, headers };
    } catch (error) {
      const known = GatewayError.from(error);
      done("failed", known.code);
      throw known;
    }
  }

  list(caller: Caller): readonly ListedModel[] {
    return listModels(this.#names(caller), (protocol) => this.#codecs.has(protocol));
  }

  find(caller: Caller, name: string): ListedModel | null {
    return findModel(name, this.#names(caller), (protocol) => this.#codecs.has(protocol));
  }

  /** What a call of this name would do now, and why; nothing is called or drawn. Errors: `model_not_found`, `misconfigured`. */
  explain(caller: Caller, name: string, o: ExplainOptions = {}): RouteExplanation {
    const names = this.#names(caller);
    const full = names.routes.has(name) ? `route/${name}` : name;
    return explainRoute(resolve(full, names), { ...o, health: this.#health, nowMs: this.#services.clock.now() });
  }

  /** Targets whose circuit breaker is not closed. */
  breakers(): ReturnType<Health["breakers"]> {
    return this.#health.breakers(this.#services.clock.now());
  }

  /** Whether a step reads or writes what calls of this model say or are answered: then nobody else may make them. */
  isRead(name: string, caller: Caller): boolean {
    const snapshot = this.#o.snapshot();
    const resolution = tryResolve(name, this.#names(caller, snapshot));
    const head: ModelHead = {
      ...{ kind: "model", protocol: "openai-chat", operation: "generate", name, stream: false, maxOutputTokens: undefined, bytes: 0 },
      names: "targets" in resolution ? resolution.names : undefined,
    };
    return sightOf(this.#o.steps, { head, snapshot, caller, purpose: null }) !== "head";
  }

  /** Ends the calls that nobody waits for. */
  close(): void {
    this.#shadows.close();
  }

  #names(caller: Caller, snapshot = this.#o.snapshot()): Names {
    return { providers: this.#o.providers, routes: snapshot.routes, caller };
  }

  #open(
    name: string,
    o: CallOptions,
    of: {
      readonly decode: () => Content;
      readonly headOf: (name: string, protocol: ProtocolId) => ModelHead;
      readonly conversation?: () => Conversation;
      readonly wire?: WireCall;
    },
  ): Opened {
    if (o.depth > MAX_DEPTH)
      throw new GatewayError("limit_reached", `Calls may be nested ${MAX_DEPTH} deep, and this one is deeper.`, {
        hint: "Look for a model or tool that leads back to itself.",
      });
    const { clock, events } = this.#services;
    const snapshot = this.#o.snapshot();
    const resolution = tryResolve(name, this.#names(o.caller, snapshot));
    const reach = "targets" in resolution ? resolution.targets[0]!.provider.reach : null;
    const named = "targets" in resolution ? resolution : { name, names: undefined };
    const head = of.headOf(named.name, reach?.kind === "http" ? reach.protocols[0]! : "openai-chat");
    const live = new LiveCall<ModelHead>({
      id: newId("call"),
      requestId: o.requestId,
      runId: o.runId ?? null,
      caller: o.caller,
      head: named.names === undefined ? head : { names: named.names, ...head },
      snapshot,
      signal: o.signal,
      deadlineMs: o.deadlineMs,
      depth: o.depth,
      purpose: o.purpose ?? null,
      origin: o.origin,
      startedAtMs: clock.now(),
      face: o.face,
      cacheControl: o.cacheControl,
      wire: of.wire,
      hears: this.#hears,
      decode: of.decode,
      onLeaveError: (error) => events.emit("internal.error", { where: "a leave of a model call", error }),
    });
    return { live, resolution, conversation: lazily(of.conversation ?? (() => NO_CONVERSATION)) };
  }

  #dispatch(opened: Opened, request: WireRequest): Promise<Answer<ModelEvent>> {
    const { live } = opened;
    const sight = sightOf(this.#o.steps, live);
    const asEvents = sight !== "head" && hearsEvents(this.#o.steps, live);
    const relays = (reach: Reach): reach is Extract<Reach, { kind: "http" }> => sight !== "write" && !asEvents && canRelay(request, reach);
    const question = this.#question(live, request);
    const once = (attempt: Attempt): Promise<Answer<ModelEvent>> => {
      const { reach } = attempt.target.provider;
      if (relays(reach)) return relayLane(attempt, request, { reach, wires: this.#wires });
      return translateLane(attempt, { request, question, asEvents }, this.#wires);
    };
    const withheld = request.head.stream || !fallsBackOnFilters(opened) ? null : new Withheld(request.codec);
    if (withheld === null) return this.#attempts(opened, once, { ...question, relays });
    return this.#attempts(opened, withheld.once(once), { ...question, relays }).catch((error: unknown) => withheld.orThrow(error));
  }

  /** What targets are asked; the call's content is read once one of them needs it. `request`: null for a call in neutral shape. */
  #question(live: LiveCall<ModelHead>, request: WireRequest | null): Question {
    const carrier = { projectId: live.caller.projects[0], dialect: request?.codec ?? null };
    const held: (Promise<HeldCall> | undefined)[] = [];
    return {
      carrier,
      headers: request?.headers,
      held: (restore) => (held[Number(restore)] ??= this.#wires.tokens.hold(contentOf(live), carrier, restore)),
    };
  }

  #attempts(
    opened: Opened,
    once: (attempt: Attempt) => Promise<Answer<ModelEvent>>,
    question?: Question & { readonly relays?: (reach: Reach) => boolean },
  ): Promise<Answer<ModelEvent>> {
    const { live, resolution } = opened;
    if (!("targets" in resolution)) throw resolution;
    const { clock, log } = this.#services;
    const preferredKey = async (target: Target) =>
      question === undefined || question.relays?.(target.provider.reach) === true
        ? null
        : this.#wires.tokens.scopeOf(await question.held(true), target);
    const { conversation } = opened;
    const random = this.#random;
    const targets = orderTargets(resolution, { head: live.head, health: this.#health, nowMs: clock.now(), random, conversation });
    const route = resolution.route === null ? null : routeContext(resolution.route, live, { health: this.#health, random });
    if (resolution.route?.shadow && question !== undefined) this.#cast(opened, { target: resolution.route.shadow, question });
    return attemptAll(
      {
        call: live,
        targets,
        clock,
        log,
        redact: this.#redact,
        steps: this.#o.attemptSteps,
        preferredKey,
        affinity: () => conversation().prefix,
        route,
      },
      once,
    );
  }

  /** Sends a copy of the call to the route's shadow, for the share of calls that it says: metered as a call of the route, and read to its end for nobody. */
  #cast({ live, resolution, conversation }: Opened, o: { readonly target: Target; readonly question: Question }): void {
    const route = "targets" in resolution ? resolution.route : null;
    if (live.purpose === SHADOW || this.#random() * 100 >= (route?.rules.shadow?.percent ?? 0)) return;
    const { clock, events, log } = this.#services;
    this.#shadows.cast(async (signal) => {
      const { requestId, runId, caller, head, snapshot, deadlineMs, depth } = live;
      const shadow = new LiveCall<ModelHead>({
        ...{ requestId, runId, caller, snapshot, deadlineMs, signal },
        ...{ id: newId("call"), depth: depth + 1, purpose: SHADOW, startedAtMs: clock.now(), head: { ...head, stream: true } },
        decode: () => live.content(),
        onLeaveError: (error) => events.emit("internal.error", { where: "a leave of a shadow call", error }),
      });
      const answer = await runSteps(this.#o.steps, shadow, () =>
        attemptAll(
          {
            call: shadow,
            targets: [o.target],
            clock,
            log,
            redact: this.#redact,
            steps: this.#o.attemptSteps,
            affinity: () => conversation().prefix,
          },
          async (attempt) => {
            const asked = await askForEvents(attempt, o.question, this.#wires);
            return { status: 200, headers: [], body: { kind: "events", events: asked.answer } } satisfies Answer<ModelEvent>;
          },
        ),
      );
      await drain(answer);
    });
  }
}

function fallsBackOnFilters({ resolution }: Opened): boolean {
  return "targets" in resolution && resolution.route?.rules.fallbackOn.includes("content-filter") === true;
}

/** Why the gateway makes a call that copies another. */
const SHADOW = "shadow";

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

/** A name that means nothing is found out first and told last: after the steps, so that the call is audited, and to nobody who may not know. */
function tryResolve(name: string, names: Names): Resolution | GatewayError {
  try {
    return resolve(name, names);
  } catch (error) {
    return GatewayError.from(error);
  }
}

function contentOf(live: LiveCall<ModelHead>): ModelCall {
  const content = live.content();
  if (content.kind !== "model") throw new GatewayError("internal", "A model call has no model call's content.");
  return content.call;
}
