import type { HttpClient } from "../../ports/index.js";
import type { OperationContext, ProviderKey } from "../../providers/index.js";
import type { Target } from "../resolve.js";

/** What an operation of a provider is given, by the target and the key that it is for. Errors: `misconfigured` when the vendor wants a key and there is none. */
export function operationContext(
  target: Pick<Target, "provider" | "code" | "model">,
  key: ProviderKey | null,
  o: { readonly http: HttpClient; readonly idleMs: number; readonly signal: AbortSignal; readonly deadlineMs: number },
): OperationContext {
  const { reach } = target.provider;
  return {
    ...{ model: target.code, kind: target.model?.kind ?? null, key },
    ...(reach.kind === "http"
      ? { baseUrl: reach.baseUrl, headers: target.provider.headersFor(key), quirks: reach.quirks, trust: reach.trust }
      : { baseUrl: "", headers: [], quirks: {} }),
    ...o,
  };
}
