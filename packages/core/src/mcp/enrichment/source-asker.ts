import type { Caller, Json, JsonObject } from "../../calls/index.js";
import type { EnrichmentRule } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { CallOptions, Services, ToolCaller } from "../../seams/index.js";
import { payloadHash } from "../../util/payload-hash.js";
import { isObject } from "./json-path.js";
import type { NamedRule } from "./rule-set.js";
import { valueOf } from "./result-value.js";

/** A call made by a rule has this purpose, and fires no rules itself. */
export const ENRICHMENT = "enrichment";
/** What a source may add; more would make every result that large. */
const MOST_CHARACTERS = 262_144;
const MOST_KEPT = 1_000;

/** A function of the program that rules may name as their source. What it gives is JSON. */
export type EnrichmentFunction = (
  bindings: JsonObject,
  of: { readonly caller: Caller; readonly signal: AbortSignal },
) => Json | Promise<Json>;

export interface SourceAskerOptions {
  readonly services: Pick<Services, "clock" | "crypto">;
  readonly tools: Pick<ToolCaller, "call">;
  /** The first contents of a resource, as text. */
  readonly read: (at: { readonly server: string; readonly uri: string }, o: CallOptions) => Promise<string>;
}

/** Asks the sources of rules, each within its time, and keeps their answers for as long as the rule says: for the same caller with the same grants and personas, and the same bindings. */
export class SourceAsker {
  readonly #o: SourceAskerOptions;
  readonly #functions = new Map<string, EnrichmentFunction>();
  readonly #kept = new Map<string, { readonly value: Json; readonly untilMs: number }>();

  constructor(options: SourceAskerOptions) {
    this.#o = options;
  }

  /** Errors: `conflict` for a name that is taken. */
  register(name: string, run: EnrichmentFunction): void {
    if (this.#functions.has(name)) throw new GatewayError("conflict", `There is an enrichment function "${name}" already.`);
    this.#functions.set(name, run);
  }

  /** Errors: `upstream_timeout` when it took too long, `cancelled`, and those of the source. */
  async ask({ id, rule }: NamedRule, bindings: JsonObject, o: CallOptions): Promise<Json> {
    const { clock, crypto } = this.#o.services;
    const key =
      rule.cacheTtlMs === 0
        ? null
        : payloadHash([id, rule.source, bindings, o.caller.id, o.caller.grants, o.caller.bounds, o.caller.personas], (bytes) =>
            crypto.sha256(bytes),
          );
    const kept = key === null ? undefined : this.#kept.get(key);
    if (kept !== undefined && kept.untilMs > clock.now()) return kept.value;
    const value = checked(await this.#within(rule, o, (within) => this.#answer(rule, bindings, within)));
    if (key !== null) this.#keep(key, { value, untilMs: clock.now() + rule.cacheTtlMs });
    return value;
  }

  #within<T>(rule: EnrichmentRule, o: CallOptions, work: (o: CallOptions) => Promise<T>): Promise<T> {
    const { clock } = this.#o.services;
    const deadlineMs = Math.min(o.deadlineMs, clock.now() + rule.timeoutMs);
    const stop = new AbortController();
    return new Promise((resolve, reject) => {
      const end = (error: GatewayError): void => {
        reject(error);
        stop.abort(error);
      };
      const late = (): void => end(new GatewayError("upstream_timeout", "The source did not answer in time."));
      const left = (): void => end(new GatewayError("cancelled", "The call was cancelled."));
      const cancelTimer = clock.at(deadlineMs, late);
      o.signal.addEventListener("abort", left, { once: true });
      if (o.signal.aborted) left();
      work({ ...o, deadlineMs, signal: stop.signal, depth: o.depth + 1, purpose: ENRICHMENT })
        .then(resolve, reject)
        .finally(() => {
          cancelTimer();
          o.signal.removeEventListener("abort", left);
        });
    });
  }

  async #answer({ source }: EnrichmentRule, bindings: JsonObject, o: CallOptions): Promise<Json> {
    switch (source.kind) {
      case "tool": {
        const { isError, raw } = await this.#o.tools.call({ name: source.name, arguments: JSON.stringify(bindings) }, o);
        const value = valueOf(raw);
        if (!isError) return value;
        throw new GatewayError(
          "upstream_rejected",
          `The tool says: ${(typeof value === "string" ? value : JSON.stringify(value)).slice(0, 200)}`,
        );
      }
      case "resource":
        return parsedText(await this.#o.read({ server: source.server, uri: filledUri(source.uri, bindings) }, o));
      case "function": {
        const run = this.#functions.get(source.name);
        if (run === undefined)
          throw new GatewayError("misconfigured", `No enrichment function "${source.name}" is registered.`, {
            hint: "The program registers it: gateway.mcp.enrichment.register(name, run).",
          });
        return run(bindings, { caller: o.caller, signal: o.signal });
      }
    }
  }

  #keep(key: string, kept: { readonly value: Json; readonly untilMs: number }): void {
    this.#kept.delete(key);
    for (const [oldest] of this.#kept) {
      if (this.#kept.size < MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    this.#kept.set(key, kept);
  }
}

/** A copy that is JSON whatever a function gave. Errors: `validation_failed`. */
function checked(value: unknown): Json {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new GatewayError("validation_failed", "The source gave nothing.");
  if (text.length > MOST_CHARACTERS)
    throw new GatewayError("payload_too_large", `The source gave more than ${MOST_CHARACTERS} characters.`);
  return JSON.parse(text) as Json;
}

/** RFC 6570, simple expansion of names. Errors: `validation_failed` for one that is not bound, or to no text or number. */
function filledUri(template: string, bindings: JsonObject): string {
  return template.replace(/\{([^{}]{1,200})\}/g, (_whole, name: string) => {
    const value = isObject(bindings) && Object.hasOwn(bindings, name) ? bindings[name] : undefined;
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return encodeURIComponent(String(value));
    throw new GatewayError("validation_failed", `{${name}} of the resource is bound to no text.`);
  });
}

function parsedText(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
