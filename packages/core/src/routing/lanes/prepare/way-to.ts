import type { ProtocolId } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Reach } from "../../../providers/index.js";
import type { Codec } from "../../../wire/shared/codec.js";
import type { Target } from "../../resolve.js";
import type { Wires } from "../wires.js";

/** How a target is spoken to. */
export type WayTo =
  | { readonly kind: "http"; readonly codec: Codec; readonly reach: Extract<Reach, { kind: "http" }> }
  | { readonly kind: "in-process"; readonly codec: null; readonly reach: Extract<Reach, { kind: "in-process" }> };

/**
 * The protocol that a target is spoken to in: the caller's own if it has that, for then nothing of the caller's own is lost; else the first of its protocols that we speak.
 * Errors: `unsupported_feature` when we speak none of them.
 */
export function wayTo(target: Target, dialect: ProtocolId | null, wires: Pick<Wires, "codecOf">): WayTo {
  const { reach, name } = target.provider;
  if (reach.kind === "in-process") return { kind: "in-process", codec: null, reach };
  const wanted = dialect !== null && reach.protocols.includes(dialect) ? [dialect, ...reach.protocols] : reach.protocols;
  for (const protocol of wanted) {
    const codec = wires.codecOf(protocol);
    if (codec !== null) return { kind: "http", codec, reach };
  }
  const protocol = reach.protocols[0]!;
  throw new GatewayError("unsupported_feature", `The provider "${name}" speaks ${protocol}, which this version does not call yet.`, {
    hint: "Use a provider that speaks OpenAI's chat protocol.",
    details: { provider: name, protocol },
  });
}
