import type { Caller, ToolDefinition, ToolResult } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { CallOptions, ToolCall, ToolCaller } from "../seams/index.js";
import type { Catalogue } from "./catalogue/catalogue.js";
import { WHOLE, locate } from "./catalogue/view.js";
import { utf8 } from "./frames/splice.js";
import { toolEvents } from "./tool-events.js";
import { toolNotFound } from "./tool-exchange.js";
import type { ToolPolicy } from "./tool-policy.js";

export interface ProxyToolCallerOptions {
  readonly catalogue: Catalogue;
  readonly policy: ToolPolicy;
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
    await this.#o.catalogue.started();
    return this.#o.catalogue.tools(caller);
  }

  async call(call: ToolCall, o: CallOptions): Promise<ToolResult> {
    this.#o.begin();
    const located = locate(WHOLE, call.name);
    if (located === null || this.#o.catalogue.get(located.server) === undefined) throw toolNotFound(call.name);
    refuseNonObject(call.arguments);
    const head = { kind: "tool" as const, name: call.name, server: located.server, tool: located.name, bytes: utf8(call.arguments).length };
    const live = this.#o.policy.open({ head, o, signal: o.signal, arguments: () => call.arguments });
    const { onProgress, idempotencyKey } = call;
    const asked = {
      catalogue: this.#o.catalogue,
      call: live,
      arguments: call.arguments,
      progress: onProgress !== undefined,
      idempotencyKey,
    };
    const answer = await this.#o.policy.run(live, () => toolEvents(asked));
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

  status(): { readonly servers: number; readonly connected: number; readonly tools: number } {
    return this.#o.catalogue.counts();
  }
}

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
