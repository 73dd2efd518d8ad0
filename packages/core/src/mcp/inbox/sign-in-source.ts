import type { Caller } from "../../calls/index.js";
import { inboxItem, type InboxItemRow, type OAuthTokenRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { NewRow } from "../../ports/index.js";
import type { Approving, Denying, InboxItem, InboxSource, OAuthStatus, Services, Settling, Showing } from "../../seams/index.js";
import { toHex } from "../../util/encoding/hex.js";
import { newId } from "../../util/ids.js";
import type { SignInLinks } from "../oauth/sign-in-links.js";

export interface SignInSourceOptions {
  /** How long one is asked for. */
  readonly expiresMs: () => number;
  readonly principalOf: (caller: Caller) => string;
  readonly statusOf: (o: NeededSignIn) => Promise<Pick<OAuthStatus, "tokenAcquired" | "authenticatedAtMs">>;
  readonly links: Pick<SignInLinks, "needed">;
}
export interface NeededSignIn {
  readonly server: string;
  readonly principal: string;
}

const WITHIN_MS = 10_000;
const PAGE = 200;
const SCOPE = { system: "sign-ins that are waited for" } as const;
const encoder = new TextEncoder();

/**
 * Sign-ins at servers that their users are asked for: one open item for a user and a server, however many calls need it. Only that user sees it; where to sign in is made when it is looked at, and nothing of it is kept.
 * It closes by itself when the sign-in stands.
 */
export class SignInSource implements InboxSource {
  readonly kind = "sign_in";
  readonly #services: Services;
  readonly #o: SignInSourceOptions;
  #cursor: string | undefined;

  constructor(services: Services, options: SignInSourceOptions) {
    this.#services = services;
    this.#o = options;
  }

  /**
   * What a caller hears that has to sign in: with the item that asks for it. `found`: the sign-in that is of no use; null: there was none. Another that was finished meanwhile closes the item at once: whoever finished it may have
   * looked before the item was there. Errors: those of the store.
   */
  async told(
    error: GatewayError,
    o: NeededSignIn & { readonly found: Pick<OAuthTokenRow, "authenticatedAtMs"> | null },
  ): Promise<GatewayError> {
    if (error.code !== "authorization_required") return error;
    const at = { audience: audienceOf(o.principal), openKey: this.#key(o) };
    const { row, isNew } = await this.#inbox().opened(at, () => this.#newRow(o, at));
    if (isNew) {
      this.#services.events.emit("sign_in.requested", { itemId: row.id, server: o.server });
      const { tokenAcquired, authenticatedAtMs } = await this.#o.statusOf(o);
      if (tokenAcquired && authenticatedAtMs !== o.found?.authenticatedAtMs) await this.#inbox().settle(row, { status: "approved" });
    }
    return new GatewayError(error.code, error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      details: { ...error.details, inbox_id: row.id },
    });
  }

  /** Somebody signed in. Errors: those of the store. */
  async signedIn(o: NeededSignIn): Promise<void> {
    const query = { where: { openKey: this.#key(o) }, orderBy: "id" as const, limit: 1 };
    const [row] = (await this.#services.store.find(inboxItem, query, { projects: [audienceOf(o.principal)] }, this.#within())).rows;
    if (row !== undefined) await this.#inbox().settle(row, { status: "approved" });
  }

  audiences(caller: Caller): readonly string[] {
    return [audienceOf(this.#o.principalOf(caller))];
  }

  async shown(row: InboxItemRow, { caller, isAlone }: Showing): Promise<InboxItem> {
    const { kind } = this;
    if (!isAlone || row.status !== "pending") return { kind, row, url: null, urlExpiresAtMs: null, confirmationCode: null };
    const whose = { server: row.server, principal: this.#o.principalOf(caller), by: caller.name };
    return { kind, row, ...whereOf(await this.#o.links.needed(whose, "a call waits for it")) };
  }

  approve(row: InboxItemRow, _o: Approving & { readonly caller: Caller }): Promise<void> {
    return Promise.reject(
      new GatewayError("conflict", "Nobody approves a sign-in: its user signs in.", {
        details: { id: row.id, server: row.server },
        hint: "Open the address that GET /api/v1/inbox/{id} shows.",
      }),
    );
  }

  async deny(row: InboxItemRow, { caller, note }: Denying & { readonly caller: Caller }): Promise<void> {
    if (await this.#inbox().settle(row, { status: "denied", by: caller, note })) return;
    throw new GatewayError("conflict", "This sign-in is not waited for any more.", { details: { id: row.id } });
  }

  closed({ id, server }: InboxItemRow, status: Settling["status"]): void {
    this.#services.events.emit("sign_in.ended", { itemId: id, server, status });
  }

  /** A process that ends right after a sign-in leaves its item open: the next 200 are looked at. */
  async look(): Promise<void> {
    const where = { kind: "sign_in" as const, status: "pending" as const };
    const query = { where, orderBy: "expiresAtMs" as const, limit: PAGE, cursor: this.#cursor };
    const { rows, next } = await this.#services.store.find(inboxItem, query, SCOPE, this.#within());
    this.#cursor = next ?? undefined;
    for (const row of rows) {
      const whose = { server: row.server, principal: row.audience.slice(AUDIENCE.length) };
      const { tokenAcquired, authenticatedAtMs } = await this.#o.statusOf(whose);
      // An older one is what the server did not take.
      if (tokenAcquired && authenticatedAtMs !== null && authenticatedAtMs >= row.createdAtMs)
        await this.#inbox().settle(row, { status: "approved" });
    }
  }

  #newRow({ server, principal }: NeededSignIn, at: { readonly audience: string; readonly openKey: string }): NewRow<InboxItemRow> {
    return {
      ...{ id: newId("sgn"), ...at, kind: this.kind, status: "pending", projectId: null, server, tool: null },
      ...{ callerId: principal, callerName: null, callerIds: [principal], class: null, digest: null },
      ...{ arguments: null, edited: null, pinId: null, differences: null, requestId: null, runId: null },
      ...{ expiresAtMs: this.#services.clock.now() + this.#o.expiresMs(), decidedBy: null, decidedAtMs: null, note: null },
    };
  }

  #key({ server, principal }: NeededSignIn): string {
    return toHex(this.#services.crypto.sha256(encoder.encode(`sign_in\n${server}\n${principal}`)));
  }

  #inbox() {
    return this.#services.seams.inbox.get();
  }

  #within() {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

/** Where to sign in, as the error for the caller says it. */
function whereOf({ details }: GatewayError) {
  const { authorization_url: url, expires_at_ms: endsAtMs, confirmation_code: code } = details ?? {};
  return {
    url: typeof url === "string" ? url : null,
    urlExpiresAtMs: typeof endsAtMs === "number" ? endsAtMs : null,
    confirmationCode: typeof code === "string" ? code : null,
  };
}

const AUDIENCE = "user:";

function audienceOf(principal: string): string {
  return `${AUDIENCE}${principal}`;
}
