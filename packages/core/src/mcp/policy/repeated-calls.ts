import type { Answer, Outcome, ToolEvent, ToolHead, ToolResult } from "../../calls/index.js";
import { GatewayError, type ErrorCode } from "../../errors/index.js";
import { canonicalArguments } from "../../policy/approvals/arguments-hash.js";
import { Idempotency, type Keyed } from "../../policy/idempotency/idempotency.js";
import type { OpenCall, Step } from "../../policy/step.js";
import type { Services } from "../../seams/index.js";
import { payloadHash } from "../../util/payload-hash.js";
import { textAt } from "../frames/json-scan.js";
import { readMessage, upstreamPlan, type RpcMessage } from "../frames/message.js";
import type { Era } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { resultSaid, saidTo } from "../server-said.js";
import { mayHaveRun } from "../tool-exchange.js";

/** Longer results are not kept; a repetition is told so. */
const MOST_CHARACTERS = 1_048_576;
/** After these it certainly did not run. */
const NOT_RUN: ReadonlySet<ErrorCode> = new Set([
  "upstream_unavailable",
  "upstream_rate_limited",
  "upstream_rejected",
  "upstream_credential",
  "authorization_required",
]);

interface Claim {
  readonly keyed: Keyed;
  readonly id: string;
  state: "running" | "kept" | "asks";
}

/**
 * Calls of tools that carry an idempotency key: the same key of the same caller for the same tool is one call, whose result is kept for a day. A repetition waits for one that is under way; with other arguments it is `idempotency_key_reuse`. Two steps: `first`
 * keeps what the server said, before anything is added to it; `last` claims the call when all policy has let it pass, so that a repetition needs the same grants and is judged as anew.
 */
export class RepeatedCalls {
  readonly #services: Services;
  readonly #idempotency: Idempotency;
  readonly #claims = new WeakMap<OpenCall<ToolHead>, Claim>();

  constructor(services: Services) {
    this.#services = services;
    this.#idempotency = new Idempotency(services);
  }

  first(): Step<ToolHead, ToolEvent> {
    return {
      name: "idempotency-kept",
      sees: isKeyed,
      events: (call, source) => {
        const claim = this.#claims.get(call);
        return claim === undefined ? source : this.#kept(call, claim, source);
      },
    };
  }

  last(): Step<ToolHead, ToolEvent> {
    return {
      name: "idempotency",
      sees: isKeyed,
      enter: (call) => (call.head.idempotencyKey === undefined ? undefined : this.#claim(call, call.head.idempotencyKey)),
    };
  }

  /** Errors: `idempotency_key_reuse`, `outcome_unknown`, `conflict`, and those of the store. */
  async #claim(call: OpenCall<ToolHead>, key: string): Promise<Answer<ToolEvent> | undefined> {
    const keyed = this.#keyed(call, key);
    const claimed = await this.#idempotency.claim(keyed);
    if ("body" in claimed) {
      call.tell([["idempotency-replayed", "true"]]);
      return { status: 200, headers: [], body: { kind: "events", events: replayed(call, claimed.body) } };
    }
    const claim: Claim = { keyed, id: claimed.id, state: "running" };
    this.#claims.set(call, claim);
    call.defer((outcome) => this.#ended(call, claim, outcome));
    return undefined;
  }

  #keyed(call: OpenCall<ToolHead>, key: string): Keyed {
    const { caller, deadlineMs, signal, head } = call;
    const content = call.content();
    const args = content.kind === "tool" ? canonicalArguments(content.arguments) : null;
    const { clock, crypto } = this.#services;
    const ofTool = payloadHash(["tools/call", head.name, key], (bytes) => crypto.sha256(bytes));
    const by = { caller, deadlineMs, inbound: { signal } };
    const keyed = this.#idempotency.keyed(by, { key: `tool:${ofTool}`, route: "tools/call", payload: args });
    return { ...keyed, leaseMs: Math.max(1_000, deadlineMs - clock.now()) };
  }

  async *#kept(call: OpenCall<ToolHead>, claim: Claim, source: AsyncIterable<ToolEvent>): AsyncIterable<ToolEvent> {
    for await (const event of source) {
      if (event.type === "result") {
        claim.state = isComplete(event.result) ? "kept" : "asks";
        if (claim.state === "kept") await this.#idempotency.keep(claim.keyed, claim.id, { status: 200, answer: answerTo(call) });
      }
      yield event;
    }
  }

  async #ended(call: OpenCall<ToolHead>, claim: Claim, { code }: Outcome): Promise<void> {
    if (claim.state === "kept") return;
    const isRefused = code !== undefined && NOT_RUN.has(code) && !mayHaveRun(call);
    const hasRun = claim.state === "running" && call.meter.attempts > 0 && !isRefused;
    if (hasRun) await this.#idempotency.doubt(claim.keyed, claim.id);
    else await this.#idempotency.giveUp(claim.keyed, claim.id);
  }
}

function isKeyed({ idempotencyKey }: ToolHead): "read" | "head" {
  return idempotencyKey === undefined ? "head" : "read";
}

/** A result that wants something of its caller first is none yet. */
function isComplete({ raw }: ToolResult): boolean {
  const type = raw["resultType"];
  return type === undefined || type === "complete";
}

/** What is kept: the server's answer as it said it. */
interface KeptAnswer {
  readonly era: Era;
  readonly text: string;
}

function answerTo(call: OpenCall<ToolHead>): KeptAnswer | { readonly isLong: true } {
  const said = saidTo(call);
  if (said === undefined) throw new GatewayError("internal", "A tool was answered for by none that speaks the protocol.");
  const { reply, connection } = said.replied;
  const text = textAt(reply.bytes, { start: 0, end: reply.bytes.length });
  return text.length > MOST_CHARACTERS ? { isLong: true } : { era: connection.era, text };
}

// eslint-disable-next-line @typescript-eslint/require-await -- events are asynchronous, these are known
async function* replayed(call: OpenCall<ToolHead>, body: Readonly<Record<string, unknown>>): AsyncIterable<ToolEvent> {
  if (body["isLong"] === true)
    throw new GatewayError("conflict", "The call was made, and its result is too long to be kept.", {
      hint: "Make it anew with another idempotency key.",
    });
  const { era, text } = body as unknown as KeptAnswer;
  const reply: RpcMessage = readMessage(utf8(text), upstreamPlan);
  yield resultSaid(call, { reply, connection: { era } });
}
