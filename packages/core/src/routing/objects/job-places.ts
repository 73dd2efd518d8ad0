import type { VendorObjectRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Crypto, HttpClient } from "../../ports/index.js";
import type { OperationContext, Provider, ProviderKey, Providers } from "../../providers/index.js";
import { utf8 } from "../../util/json.js";
import { operationContext } from "../operations/operation-context.js";
import { toHex } from "../../util/encoding/hex.js";

const PRINT_BYTES = 8;

export interface JobPlacesOptions {
  readonly providers: Providers;
  readonly http: HttpClient;
  readonly crypto: Crypto;
  /** Longest silence between two chunks of an answer, ms. */
  readonly idleMs: () => number;
}

/** Where jobs are: the provider that has one, and the key that it was begun with, found again after a restart. */
export class JobPlaces {
  readonly #o: JobPlacesOptions;

  constructor(options: JobPlacesOptions) {
    this.#o = options;
  }

  /** Names a key without telling it: enough to tell those of a pool apart. */
  print(key: ProviderKey | null): string | null {
    if (key === null) return null;
    const hash = this.#o.crypto.sha256(utf8(`job key\n${key.secret.reveal()}`));
    return toHex(hash.subarray(0, PRINT_BYTES));
  }

  /** Errors: `misconfigured` when the provider, or its key, is no longer there: nobody else can ask for the job. */
  at(
    row: Pick<VendorObjectRow, "provider" | "keyPrint" | "data">,
    o: { readonly signal: AbortSignal; readonly deadlineMs: number },
  ): { readonly provider: Provider; readonly context: OperationContext } {
    const provider = row.provider === null ? null : this.#o.providers.get(row.provider);
    if (provider === null)
      throw new GatewayError("misconfigured", `The provider "${row.provider ?? ""}", which has this job, is no longer there.`, {
        hint: "Add it again under its name.",
      });
    const key = row.keyPrint === null ? null : (provider.keys.all.find((each) => this.print(each) === row.keyPrint) ?? null);
    if (row.keyPrint !== null && key === null)
      throw new GatewayError("misconfigured", `The key of "${provider.name}" that this job was begun with is no longer there.`, {
        hint: "Keep a key until the jobs that were begun with it are over.",
      });
    const code = String(row.data["code"] ?? "");
    const target = { provider, code, model: provider.model(code) };
    return { provider, context: operationContext(target, key, { http: this.#o.http, idleMs: this.#o.idleMs(), ...o }) };
  }
}
