import { createHash, randomBytes } from "node:crypto";

/** What an access token stands for. */
export interface Issued {
  readonly clientId: string;
  readonly grant: string;
  readonly scope: string | null;
  readonly resource: string | null;
  /** The subject token that it was exchanged for. */
  readonly subject: string | null;
  readonly endsAtMs: number;
}
interface Code {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly challenge: string | null;
  readonly scope: string | null;
  readonly resource: string | null;
}
/** All tokens that came of one sign-in. */
interface Family {
  revoked: boolean;
  readonly clientId: string;
  readonly scope: string | null;
  readonly resource: string | null;
}
export interface Redeeming {
  readonly form: URLSearchParams;
  readonly clientId: string;
  readonly rotates: boolean;
  readonly lifeMs: number;
}
export interface Redeemed {
  readonly accessToken: string;
  readonly refreshToken: string | null;
  readonly scope: string | null;
}

/** The books of an authorization server: what was issued, and what of it is spent. */
export class Grants {
  readonly #codes = new Map<string, Code>();
  readonly #access = new Map<string, Issued & { readonly family: Family | null }>();
  readonly #refresh = new Map<string, { readonly family: Family; spent: boolean }>();

  code(code: Code): string {
    const name = `code-${randomBytes(9).toString("base64url")}`;
    this.#codes.set(name, code);
    return name;
  }

  look(token: string): Issued | null {
    const issued = this.#access.get(token);
    return issued === undefined || issued.endsAtMs <= Date.now() || issued.family?.revoked === true ? null : issued;
  }

  expireAll(): void {
    this.#access.clear();
  }
  revokeAll(): void {
    for (const { family } of this.#refresh.values()) family.revoked = true;
    this.#access.clear();
  }

  /** null: `invalid_grant`. */
  redeem(grant: string, o: Redeeming): Redeemed | null {
    switch (grant) {
      case "authorization_code":
        return this.#ofCode(o);
      case "refresh_token":
        return this.#ofRefreshToken(o);
      case "client_credentials":
      case "urn:ietf:params:oauth:grant-type:token-exchange":
        return this.#issue(grant, o, { scope: o.form.get("scope"), resource: o.form.get("resource"), family: null });
      default:
        return null;
    }
  }

  #ofCode(o: Redeeming): Redeemed | null {
    const name = o.form.get("code") ?? "";
    const code = this.#codes.get(name);
    this.#codes.delete(name);
    const challenge = createHash("sha256")
      .update(o.form.get("code_verifier") ?? "")
      .digest("base64url");
    if (
      code === undefined ||
      code.clientId !== o.clientId ||
      code.redirectUri !== o.form.get("redirect_uri") ||
      code.challenge !== challenge
    )
      return null;
    const family = { revoked: false, clientId: o.clientId, scope: code.scope, resource: code.resource };
    return this.#issue("authorization_code", o, { ...family, family });
  }

  /** One that is spent and comes again was stolen by somebody: nobody gets any more. */
  #ofRefreshToken(o: Redeeming): Redeemed | null {
    const known = this.#refresh.get(o.form.get("refresh_token") ?? "");
    if (known === undefined || known.family.revoked || known.family.clientId !== o.clientId) return null;
    if (known.spent) {
      known.family.revoked = true;
      return null;
    }
    if (o.rotates) known.spent = true;
    return this.#issue("refresh_token", o, { scope: known.family.scope, resource: known.family.resource, family: known.family });
  }

  #issue(
    grant: string,
    o: Redeeming,
    to: { readonly scope: string | null; readonly resource: string | null; readonly family: Family | null },
  ): Redeemed {
    const accessToken = `access-${randomBytes(18).toString("base64url")}`;
    const { scope, resource, family } = to;
    const subject = o.form.get("subject_token");
    this.#access.set(accessToken, { clientId: o.clientId, grant, scope, resource, subject, endsAtMs: Date.now() + o.lifeMs, family });
    const isSame = grant === "refresh_token" && !o.rotates;
    if (family === null || isSame) return { accessToken, refreshToken: null, scope };
    const refreshToken = `refresh-${randomBytes(18).toString("base64url")}`;
    this.#refresh.set(refreshToken, { family, spent: false });
    return { accessToken, refreshToken, scope };
  }
}
