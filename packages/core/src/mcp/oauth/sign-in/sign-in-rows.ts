import { oauthState, type OAuthStateRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { remove, type Write } from "../../../ports/index.js";
import type { Services } from "../../../seams/index.js";
import { toBase64Url } from "../../../util/encoding/base64url.js";
import { toHex } from "../../../util/encoding/hex.js";
import type { Secret } from "../../../util/secret.js";

export type NewStateRow = Omit<OAuthStateRow, "version" | "createdAtMs" | "updatedAtMs">;
export type SealedColumn = "verifier" | "authorizationUrl" | "clientSecret";

const WITHIN_MS = 10_000;
const SWEEP = 500;
const scope = { system: "sign-ins at MCP servers that have begun" };
const encoder = new TextEncoder();

/** The rows of sign-ins that have begun. A row goes by its link's ticket until somebody agreed, and from then on by the state that was issued with that: neither is stored. */
export class SignInRows {
  readonly #services: Services;
  constructor(services: Services) {
    this.#services = services;
  }

  /** 256 bits as text. */
  random(): string {
    return toBase64Url(this.#services.crypto.random(32));
  }

  ticketId(ticket: string): string {
    return this.digest("ticket", ticket);
  }
  stateId(state: string): string {
    return this.digest("state", state);
  }
  /** What is stored of a secret; no digest of one kind is one of another. */
  digest(kind: "ticket" | "state" | "cookie" | "code", text: string): string {
    return toHex(this.#services.crypto.sha256(encoder.encode(`${kind} ${text}`)));
  }

  seal(rowId: string, column: SealedColumn, value: Secret | string): string {
    return this.#services.seams.vault.get().seal(value, placeOf(rowId, column));
  }
  /** Errors: `state_corrupt`. */
  open(row: Pick<OAuthStateRow, "id">, column: SealedColumn, sealed: string): Secret {
    return this.#services.seams.vault.get().open(sealed, placeOf(row.id, column));
  }

  /** As it stands. Errors: `not_found`, also for one that is over. */
  async get(id: string): Promise<OAuthStateRow> {
    const { store, clock } = this.#services;
    const row = await store.get(oauthState, id, scope, this.#within());
    if (row === null || row.expiresAtMs <= clock.now()) throw noSuchSignIn();
    return row;
  }

  /** False: a condition of one of them did not hold, and nothing was written. */
  async commit(writes: readonly Write[]): Promise<boolean> {
    const [result] = await this.#services.store.commit([{ scope, writes }], this.#within());
    return result?.ok === true;
  }

  /** Removes those that nobody came back from. Errors: those of the store. */
  async sweep(): Promise<void> {
    const { store, clock } = this.#services;
    const query = { where: { expiresAtMs: { lt: clock.now() } }, orderBy: "expiresAtMs" as const, limit: SWEEP };
    for (;;) {
      const { rows } = await store.find(oauthState, query, scope, this.#within());
      if (rows.length > 0)
        await store.commit(
          rows.map((row) => ({ scope, writes: [remove(oauthState, row.id)] })),
          this.#within(),
        );
      if (rows.length < SWEEP) return;
    }
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function placeOf(rowId: string, column: SealedColumn) {
  return { table: oauthState.table, column, rowId, isContent: true as const };
}

export function noSuchSignIn(): GatewayError {
  return new GatewayError("not_found", "This sign-in was not begun by this browser, is over, or was used already.", {
    hint: "Begin again.",
  });
}
