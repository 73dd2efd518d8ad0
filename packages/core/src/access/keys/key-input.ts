import type { GatewayKeyRow, KeyRateLimit } from "../../entities/index.js";

/** What a key is made of. */
export interface NewKey {
  readonly name: string;
  /** `models:openai/*`, `mcp:files__*`, `admin:read`, `project:p1`, `*`; `!` before one denies. Left out: what its maker may use, and nothing of the administration. */
  readonly scopes?: readonly string[] | undefined;
  /** One of the maker's; its first when left out. */
  readonly projectId?: string | undefined;
  /** 1 to 12 of a-z and 0-9; `live` when left out. */
  readonly environment?: string | undefined;
  /** Unix ms; left out: with its maker. */
  readonly expiresAtMs?: number | null | undefined;
  readonly rateLimit?: KeyRateLimit | null | undefined;
  /** Whom its calls count for; the maker's own when left out. */
  readonly userId?: string | undefined;
  readonly teamId?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
}
/** A key of another system: its hash, and how it begins. */
export interface ImportedKey extends Omit<NewKey, "environment"> {
  readonly hash: string;
  /** The first characters of the key, 4 or more: without it an unknown key costs a hash. */
  readonly prefix?: string | undefined;
  /** Which verifier checks it; a bcrypt hash shows it by itself. */
  readonly scheme?: string | undefined;
}
export interface KeyChange {
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly enabled?: boolean | undefined;
  readonly expiresAtMs?: number | null | undefined;
  readonly rateLimit?: KeyRateLimit | null | undefined;
  readonly metadata?: Readonly<Record<string, string>> | null | undefined;
}

type Hidden = "digest" | "previousDigest" | "legacyHash";
/** A key as people see it: nothing that it could be made from. */
export type KeyView = Readonly<Omit<GatewayKeyRow, Hidden>>;
/** The one answer that has the key itself. */
export interface ShownKey extends KeyView {
  readonly key: string;
}

export function keyView(row: GatewayKeyRow): KeyView {
  const { digest: _digest, previousDigest: _previous, legacyHash: _hash, ...view } = row;
  return view;
}
