import { oauthClient, oauthToken, type OAuthTokenRow } from "../../../entities/index.js";
import { insert, nowPlus, now, remove, update, type Change, type Write } from "../../../ports/index.js";
import type { Services } from "../../../seams/index.js";
import { toBase64Url } from "../../../util/encoding/base64url.js";
import type { Secret } from "../../../util/secret.js";

/** Longer than a token endpoint may take, so that nobody else asks meanwhile. */
const HOLD_MS = 45_000;
const WITHIN_MS = 10_000;
const scope = { system: "sign-ins at MCP servers" };
const encoder = new TextEncoder();

/** Whose sign-in: at which server, for whom. An empty principal stands for all callers. */
export interface SignInKey {
  readonly server: string;
  readonly principal: string;
}

/** The rows of sign-ins: read, held while one is refreshed, and written by whoever holds them. Tokens are sealed in place. */
export class TokenRows {
  readonly #services: Services;

  constructor(services: Services) {
    this.#services = services;
  }

  idOf({ server, principal }: SignInKey): string {
    return toBase64Url(this.#services.crypto.sha256(encoder.encode(`${server}\n${principal}`)));
  }

  get(key: SignInKey): Promise<OAuthTokenRow | null> {
    return this.#services.store.get(oauthToken, this.idOf(key), scope, this.within());
  }

  async ofServer(server: string): Promise<readonly OAuthTokenRow[]> {
    const query = { where: { server }, orderBy: "id" as const, limit: 1_000 };
    return (await this.#services.store.find(oauthToken, query, scope, this.within())).rows;
  }

  /** Rows whose tokens, or whose means to get new ones, end before these instants. */
  async endingBy(o: { readonly accessMs: number; readonly refreshMs: number }): Promise<readonly OAuthTokenRow[]> {
    const { store } = this.#services;
    const page = { orderBy: "id" as const, limit: 500 };
    const connected = { state: "connected" as const };
    const [access, refresh] = await Promise.all([
      store.find(oauthToken, { where: { ...connected, expiresAtMs: { lte: o.accessMs } }, ...page }, scope, this.within()),
      store.find(oauthToken, { where: { ...connected, refreshExpiresAtMs: { lte: o.refreshMs } }, ...page }, scope, this.within()),
    ]);
    return [...new Map([...access.rows, ...refresh.rows].map((row) => [row.id, row])).values()];
  }

  /** The row as it is now, held against everybody else until it is settled or the hold ends; null: somebody holds it, or it is gone. */
  async hold(id: string): Promise<OAuthTokenRow | null> {
    const change = { set: { holdUntilMs: nowPlus(HOLD_MS) }, add: { attempt: 1 } };
    const [row] = await this.#services.store.take(
      oauthToken,
      { where: { id, holdUntilMs: { lte: now } }, orderBy: ["id"], limit: 1, change },
      this.within(),
    );
    return row ?? null;
  }

  /** Writes what came of holding the row, and lets go of it. False: it is somebody else's by now, and nothing was written. */
  async settle(held: OAuthTokenRow, set: NonNullable<Change<OAuthTokenRow>["set"]>, events: readonly Write[] = []): Promise<boolean> {
    const write = update(oauthToken, held.id, { change: { set: { ...set, holdUntilMs: 0 } }, where: { attempt: held.attempt } });
    return this.commit([write, ...events]);
  }

  /** A new sign-in in the place of whatever was there, and the authorization server that it binds the MCP server to. `moved`: what binds it, where it was bound to another before. */
  async replace(
    row: Omit<OAuthTokenRow, "version" | "createdAtMs" | "updatedAtMs" | "attempt" | "holdUntilMs">,
    { events, moved }: { readonly events: readonly Write[]; readonly moved?: (() => Promise<Write>) | undefined },
  ): Promise<void> {
    const first = insert(
      oauthClient,
      {
        id: clientRowId(row.server, this.#services),
        server: row.server,
        issuer: row.issuer,
        clientId: null,
        clientSecret: null,
        redirectUri: null,
        expiresAtMs: null,
      },
      "skip",
    );
    for (;;) {
      const { id, ...fields } = row;
      const pin = moved === undefined ? first : await moved();
      // A refresh of what was there, under way now, finds another attempt and writes nothing.
      if (
        await this.commit([update(oauthToken, id, { change: { set: { ...fields, holdUntilMs: 0 }, add: { attempt: 1 } } }), pin, ...events])
      )
        return;
      if (await this.commit([insert(oauthToken, { ...row, attempt: 0, holdUntilMs: 0 }), pin, ...events])) return;
    }
  }

  remove(id: string, events: readonly Write[]): Promise<boolean> {
    return this.commit([remove(oauthToken, id), ...events]);
  }

  seal(row: { readonly id: string }, column: "accessToken" | "refreshToken", value: Secret | null): string | null {
    return value === null
      ? null
      : this.#services.seams.vault.get().seal(value, { table: oauthToken.table, column, rowId: row.id, isContent: true });
  }

  /** Errors: `state_corrupt`. */
  open(row: OAuthTokenRow, column: "accessToken" | "refreshToken"): Secret | null {
    const sealed = row[column];
    return sealed === null
      ? null
      : this.#services.seams.vault.get().open(sealed, { table: oauthToken.table, column, rowId: row.id, isContent: true });
  }

  async commit(writes: readonly Write[]): Promise<boolean> {
    const [result] = await this.#services.store.commit([{ scope, writes }], this.within());
    return result?.ok === true;
  }

  within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

/** Of the row that says which authorization server an MCP server is held to. */
export function clientRowId(server: string, { crypto }: Pick<Services, "crypto">): string {
  return toBase64Url(crypto.sha256(encoder.encode(`client\n${server}`)));
}
