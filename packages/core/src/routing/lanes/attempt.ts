import type { ModelHead } from "../../calls/index.js";
import type { LiveCall } from "../../policy/live-call.js";
import type { ProviderKey } from "../../providers/index.js";
import type { Target } from "../resolve.js";

/** One try at one target with one key. */
export interface Attempt {
  readonly target: Target;
  /** null: the provider has none and needs none. */
  readonly key: ProviderKey | null;
  readonly call: LiveCall<ModelHead>;
  /** Takes the secrets that this gateway knows out of what the attempt failed with. */
  readonly redact?: ((text: string) => string) | undefined;
  /** What a route says of it; what is left out is as `server.timeouts` says. */
  readonly timeouts?: { readonly firstByteMs?: number | undefined; readonly idleMs?: number | undefined } | undefined;
}
