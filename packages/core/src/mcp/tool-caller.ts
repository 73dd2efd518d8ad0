import type { Caller, ToolDefinition, ToolResult } from "../calls/index.js";
import { mayDo } from "../access/grants.js";
import { GatewayError } from "../errors/index.js";
import type { Clock } from "../ports/index.js";
import type { CallOptions, ToolCall, ToolCaller } from "../seams/index.js";
import type { Catalogue } from "./catalogue/catalogue.js";
import { toolNotFound } from "./catalogue/unreachable.js";
import { splitName, type Located } from "./catalogue/view.js";
import { utf8 } from "./frames/splice.js";
import { purposeEdit, takePurpose } from "./purpose.js";
import { ownToolCall, toolEvents } from "./tool-events.js";
import type { ToolPolicy } from "./tool-policy.js";

export interface ProxyToolCallerOptions {
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly policy: ToolPolicy;
  /** The caller as personas leave it now. */
  readonly bound: (caller: Caller) => Caller;
  /** Begins what was not begun yet. */
  readonly begin: () => void;
}

/** Tools for runs, REST callers and code: the same catalogue and the same policy as over MCP. */
export class ProxyToolCaller implements ToolCaller {
  readonly #o: ProxyToolCallerOptions;
  constructor(options: ProxyToolCallerOptions) {
    this.#o = options;
  }

  async list(caller: Caller): Promise<readonly ToolDefinition[]> {
    this.#o.begin();
    const { catalogue, bound } = this.#o;
    await catalogue.ready(catalogue.whole, { caller, deadlineMs: Infinity });
    return catalogue.tools(bound(caller));
  }

  async assertSignedIn(glob: string, caller: Caller): Promise<void> {
    const { catalogue, bound, clock } = this.#o;
    const upstream = catalogue.get(splitName(glob)?.server ?? "");
    if (upstream?.isPerUser !== true || !mayDo(bound(caller), "mcp", glob)) return;
    try {
      await upstream.ready({ caller: bound(caller), deadlineMs: clock.now() + READY_MS });
    } catch (error) {
      // One that is down offers nothing, which is told as ever.
      if (GatewayError.is(error, "authorization_required")) throw error;
    }
  }

  async call(call: ToolCall, asked: CallOptions): Promise<ToolResult> {
    this.#o.begin();
    const given = { ...asked, caller: this.#o.bound(asked.caller) };
    const located = splitName(call.name);
    if (located === null) throw toolNotFound(call.name);
    this.#o.catalogue.assertReachable(located, given.caller);
    refuseNonObject(call.arguments);
    const { text, o } = this.#withoutPurpose(call, given, located);
    const argumentsText = this.#o.catalogue.fill(located)?.fill(utf8(text)) ?? text;
    const { onProgress, idempotencyKey } = call;
    const bytes = utf8(argumentsText).length;
    // A run's journal knows its own calls.
    const key = o.runId === undefined && idempotencyKey !== undefined ? { idempotencyKey } : {};
    const head = { kind: "tool" as const, name: call.name, server: located.server, tool: located.name, ...key, bytes };
    const live = this.#o.policy.open({ head, o, signal: o.signal, arguments: () => argumentsText });
    const progress = onProgress !== undefined;
    const own = { catalogue: this.#o.catalogue, call: live, progress, idempotencyKey };
    const ask = () => toolEvents({ call: live, exchange: (onNotice) => ownToolCall(own, onNotice) });
    const answer = await this.#o.policy.run(live, ask);
    if (answer.body.kind !== "events")
      throw new GatewayError("internal", "A step answered a tool call with bytes where events were asked for.");
    try {
      let result: ToolResult | null = null;
      for await (const event of answer.body.events) {
        if (event.type === "result") result = event.result;
        else onProgress?.(event);
      }
      if (result === null) throw new GatewayError("internal", "A tool call ended without a result.");
      answer.done("sent");
      return result;
    } catch (error) {
      const known = GatewayError.from(error);
      answer.done(known.code === "cancelled" ? "left" : "failed", known.code);
      throw known;
    }
  }

  /** Why the call is made, when tools take that: for the audit, not for the server. */
  #withoutPurpose(call: ToolCall, o: CallOptions, at: Located): { readonly text: string; readonly o: CallOptions } {
    const entry = this.#o.policy.takesPurpose() ? this.#o.catalogue.tool(at, o.caller) : undefined;
    if (entry === undefined || purposeEdit(entry) === null) return { text: call.arguments, o };
    const taken = takePurpose(utf8(call.arguments));
    if (taken.purpose === null) return { text: decoder.decode(taken.bytes), o };
    const before = o.origin ?? { source: o.runId === undefined ? ("code" as const) : ("run" as const), ...UNSAID };
    return { text: decoder.decode(taken.bytes), o: { ...o, origin: { ...before, purpose: taken.purpose } } };
  }

  status(): { readonly servers: number; readonly connected: number; readonly tools: number } {
    return this.#o.catalogue.counts();
  }
}

const READY_MS = 15_000;
const decoder = new TextDecoder();
const UNSAID = { traceparent: null, tracestate: null };

function refuseNonObject(text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new GatewayError("invalid_json", "The arguments of the tool call are not valid JSON.", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new GatewayError("validation_failed", "The arguments of a tool call are an object.");
}
