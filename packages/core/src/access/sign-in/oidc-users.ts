import { roleBinding, user, username as usernameForm, type RoleBindingRow, type UserRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { insert, remove, update, type Clock, type Crypto, type RecordStore, type Write } from "../../ports/index.js";
import { newId } from "../../util/ids.js";
import type { OidcClaims } from "./oidc-client.js";
import { toHex } from "../../util/encoding/hex.js";

/** What becomes of who signs in with a provider. */
export interface OidcUserRules {
  readonly groupsClaim: string;
  /** Role by group. */
  readonly groupRoles: Readonly<Record<string, string>>;
  readonly allowedDomains?: readonly string[] | undefined;
  readonly project: string;
}

const WITHIN_MS = 10_000;
const MAX_BINDINGS = 1_000;
const TRIES = 5;
const scope = { system: "OpenID sign-in" };
const encoder = new TextEncoder();

/**
 * The users of OpenID providers: known by issuer and subject alone. A name or an address that is equal to somebody's is nobody's proof, so no account is ever joined by it.
 */
export class OidcUsers {
  readonly #services: { readonly store: RecordStore; readonly clock: Clock; readonly crypto: Crypto };
  readonly #changed: (id: string) => Promise<void>;

  constructor(
    services: { readonly store: RecordStore; readonly clock: Clock; readonly crypto: Crypto },
    o: { readonly changed: (id: string) => Promise<void> },
  ) {
    this.#services = services;
    this.#changed = o.changed;
  }

  /** The user, made at the first sign-in, with the roles of the groups that the provider names now. Errors: `forbidden` for an address of another domain. */
  async of(provider: string, claims: OidcClaims, rules: OidcUserRules): Promise<UserRow> {
    assertDomain(claims, rules);
    const externalId = this.#hex(`${claims.iss}\n${claims.sub}`);
    const row = (await this.#find({ externalId })) ?? (await this.#create(externalId, claims, rules));
    await this.#syncRoles(row, { by: `oidc:${provider}`, wanted: rolesOf(claims, rules), project: rules.project });
    return row;
  }

  async #create(externalId: string, claims: OidcClaims, rules: OidcUserRules): Promise<UserRow> {
    const wanted = nameOf(claims);
    for (let tried = 0; tried < TRIES; tried++) {
      const username = tried === 0 ? wanted : `${wanted.slice(0, 90)}-${externalId.slice(tried, tried + 6)}`;
      const row = {
        ...{
          id: newId("user"),
          projectId: rules.project,
          username,
          name: text(claims["name"], 200),
          email: verifiedEmail(claims),
          enabled: true,
        },
        ...{ passwordHash: null, externalId, lastLoginAtMs: null, sessionsFromMs: 0 },
      };
      const [result] = await this.#services.store.commit([{ scope, writes: [insert(user, row)] }], this.#within());
      const known = await this.#find({ externalId }); // also when another node was quicker
      if (known !== null) {
        if (result?.ok === true) await this.#changed(known.id);
        return known;
      }
    }
    throw new GatewayError("conflict", "The user could not be given a name of its own.", { hint: "Sign in again." });
  }

  /** Roles that this provider gave are given and taken as its groups say; roles that people gave stay. */
  async #syncRoles(
    row: UserRow,
    o: { readonly by: string; readonly wanted: ReadonlySet<string>; readonly project: string },
  ): Promise<void> {
    const { by, wanted, project } = o;
    const query = { where: { userId: row.id }, orderBy: "id" as const, limit: MAX_BINDINGS };
    const { rows } = await this.#services.store.find(roleBinding, query, scope, this.#within());
    const own = rows.filter(({ createdBy }) => createdBy === by);
    const gone = own.filter((binding) => !wanted.has(binding.role) || binding.scopeId !== project);
    const missing = [...wanted].filter((role) => !rows.some((binding) => isIn(binding, role, project)));
    if (gone.length + missing.length === 0) return;
    const added: Write[] = missing.map((role) =>
      insert(
        roleBinding,
        { id: newId("binding"), projectId: project, userId: row.id, role, scope: "project", scopeId: project, createdBy: by },
        "skip",
      ),
    );
    // Whoever loses a role has the session begin anew: what was open in another one is over.
    const ended: Write[] =
      gone.length === 0 ? [] : [update(user, row.id, { change: { set: { sessionsFromMs: this.#services.clock.now() } } })];
    const writes = [...gone.map(({ id }) => remove(roleBinding, id)), ...added, ...ended];
    await this.#services.store.commit([{ scope, writes }], this.#within());
    await this.#changed(row.id);
  }

  async #find(where: { readonly externalId: string }): Promise<UserRow | null> {
    const { rows } = await this.#services.store.find(user, { where, orderBy: "id", limit: 1 }, scope, this.#within());
    return rows[0] ?? null;
  }

  #hex(value: string): string {
    return toHex(this.#services.crypto.sha256(encoder.encode(value)));
  }

  #within(): { readonly deadlineMs: number } {
    return { deadlineMs: this.#services.clock.now() + WITHIN_MS };
  }
}

function isIn(binding: RoleBindingRow, role: string, project: string): boolean {
  return binding.role === role && binding.scope === "project" && binding.scopeId === project;
}

/** Errors: `forbidden`. */
function assertDomain(claims: OidcClaims, { allowedDomains }: OidcUserRules): void {
  if (allowedDomains === undefined) return;
  const domain = verifiedEmail(claims)?.split("@").at(-1);
  if (domain !== undefined && allowedDomains.some((allowed) => allowed.toLowerCase() === domain)) return;
  throw new GatewayError("forbidden", "The provider did not verify an e-mail address of a domain that may sign in here.", {
    hint: "See access.oidc.<name>.allowedDomains.",
  });
}

function rolesOf(claims: OidcClaims, { groupsClaim, groupRoles }: OidcUserRules): ReadonlySet<string> {
  const given = claims[groupsClaim];
  const groups = Array.isArray(given)
    ? given.filter((group): group is string => typeof group === "string")
    : typeof given === "string"
      ? [given]
      : [];
  return new Set(groups.flatMap((group) => (Object.hasOwn(groupRoles, group) ? [groupRoles[group]!] : [])));
}

function verifiedEmail(claims: OidcClaims): string | null {
  const email = claims["email"];
  return typeof email === "string" && claims["email_verified"] === true && /^[^@\s]{1,64}@[^@\s]{1,189}$/.test(email)
    ? email.toLowerCase()
    : null;
}

function nameOf(claims: OidcClaims): string {
  const wanted = text(claims["preferred_username"], 90) ?? verifiedEmail(claims) ?? "user";
  const plain = wanted
    .toLowerCase()
    .replace(/[^a-z0-9._@+-]/g, "-")
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "");
  return usernameForm.safeParse(plain).success ? plain : "user";
}

function text(value: unknown, most: number): string | null {
  return typeof value === "string" && value.trim() !== "" ? value.slice(0, most) : null;
}
