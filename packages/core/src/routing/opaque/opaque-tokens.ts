import type { ModelAnswer, ModelCall, ModelEvent, ProtocolId } from "../../calls/index.js";
import type { Clock, Crypto, RecordStore } from "../../ports/index.js";
import type { ProviderKey } from "../../providers/index.js";
import type { CodecTraits, TokenBond, Warning } from "../../wire/shared/codec.js";
import type { Target } from "../resolve.js";
import { STRICTEST } from "./bonds.js";
import { holdCall, type HeldCall } from "./held-call.js";
import { KeyPrints } from "./key-prints.js";
import { prefixOf } from "./prefixes.js";
import type { Spoken } from "./provenance.js";
import { sealAnswer, sealEvents, type Sealing } from "./seal-answer.js";
import { Sealer } from "./sealer.js";
import { Stash } from "./stash.js";

/** Who calls, as far as tokens go. */
export interface Carrier {
  readonly projectId: string;
  /** The dialect of the caller; null: neutral shape, which carries everything. */
  readonly dialect: { readonly protocol: ProtocolId; readonly traits: CodecTraits } | null;
}
/** One way to a target. */
export interface Way {
  readonly target: Target;
  readonly key: ProviderKey | null;
  /** null: it answers in this process. */
  readonly codec: { readonly protocol: ProtocolId; readonly traits: CodecTraits } | null;
}
export interface OpaqueTokensOptions {
  readonly crypto: Crypto;
  /** The purpose key `opaque-tokens`. */
  readonly key: () => Uint8Array;
  readonly store: RecordStore;
  readonly clock: Clock;
  readonly onError: (error: unknown) => void;
}

const ALL: CodecTraits["carries"] = { reasoning: true, toolCalls: true, text: true };

/**
 * Vendors' sealed tokens, from one turn to the next: each goes back to whoever made it, unchanged, and to nobody else. On the way to a caller a token is in an envelope of
 * ours that says where it is from, or in the stash when the caller's dialect has no place for it. See `wire.md` §2.
 */
export class OpaqueTokens {
  readonly #sealer: Sealer;
  readonly #prints: KeyPrints;
  readonly #stash: Stash;

  constructor(o: OpaqueTokensOptions) {
    this.#sealer = new Sealer(o);
    this.#prints = new KeyPrints(this.#sealer);
    this.#stash = new Stash({ store: o.store, clock: o.clock, sealer: this.#sealer, onError: o.onError });
  }

  /** Opens what a call carries, once for all its attempts. `restore`: also looks up what the caller's dialect could not carry; no use for a target without tokens. */
  hold(call: ModelCall, carrier: Carrier, restore: boolean): Promise<HeldCall> {
    const carries = carrier.dialect?.traits.carries ?? ALL;
    const { projectId } = carrier;
    return holdCall(call, {
      sealer: this.#sealer,
      projectId,
      dialect: carrier.dialect?.protocol ?? null,
      find: !restore || (carries.reasoning && carries.toolCalls) ? null : (calls) => this.#stash.find(calls, projectId),
    });
  }

  /** The key that the newest of a call's tokens for this target was paid with, when the provider still has it; null: any key will do. */
  scopeOf(held: HeldCall, target: Target): ProviderKey | null {
    const print = held.keyPrintFor(target.provider.name);
    return print === null ? null : (target.provider.keys.all.find((key) => this.#prints.of(key) === print) ?? null);
  }

  /** The call as it may go this way. */
  open(held: HeldCall, way: Way): { readonly call: ModelCall; readonly warnings: readonly Warning[] } {
    return held.forDestination({ ...this.#end(way), bonds: bondsOf(way) });
  }

  /** The answer that came this way, as it goes to the caller. */
  sealEvents(
    events: AsyncIterable<ModelEvent>,
    o: { readonly call: ModelCall; readonly carrier: Carrier; readonly way: Way },
  ): AsyncIterable<ModelEvent> {
    return hasTokens(o.way) ? sealEvents(events, this.#sealing(o)) : events;
  }
  sealAnswer(answer: ModelAnswer, o: { readonly call: ModelCall; readonly carrier: Carrier; readonly way: Way }): Promise<ModelAnswer> {
    return hasTokens(o.way) ? sealAnswer(answer, this.#sealing(o)) : Promise.resolve(answer);
  }

  #sealing({ call, carrier, way }: { readonly call: ModelCall; readonly carrier: Carrier; readonly way: Way }): Sealing {
    const { projectId } = carrier;
    let origin: ReturnType<Sealing["origin"]> | null = null;
    return {
      sealer: this.#sealer,
      origin: () => (origin ??= { ...this.#end(way), prefix: prefixOf(call.messages, this.#sealer) }),
      projectId,
      carries: carrier.dialect?.traits.carries ?? ALL,
      keep: (calls) => this.#stash.keep(calls, projectId),
    };
  }

  #end({ target, key, codec }: Way) {
    const protocol: Spoken = codec?.protocol ?? "in-process";
    return { protocol, provider: target.provider.name, model: target.code, keyPrint: this.#prints.of(key) };
  }
}

function bondsOf({ codec }: Way): readonly TokenBond[] {
  return codec?.traits.tokensBoundTo ?? STRICTEST;
}

/** A protocol whose callers have no place for a token has none to give. */
export function hasTokens({ codec }: Pick<Way, "codec">): boolean {
  if (codec === null) return true;
  const { reasoning, toolCalls, text } = codec.traits.carries;
  return reasoning || toolCalls || text;
}
