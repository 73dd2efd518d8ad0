import { authEvent, type AuthEventKind } from "../../entities/index.js";
import { DEFAULT_PROJECT } from "../../calls/index.js";
import { insert, type Write } from "../../ports/index.js";
import { newId } from "../../util/ids.js";

export type EventDetail = Readonly<Record<string, string | number | boolean>>;
export interface OAuthEvent {
  readonly kind: AuthEventKind;
  readonly server: string;
  /** Empty: for all callers. */
  readonly principal: string;
  /** null: the gateway by itself. */
  readonly actor: string | null;
  readonly issuer: string | null;
  readonly detail: EventDetail;
}

const FAILED = /failed|skipped|revoked/;

/** One line of what happened to a sign-in at an MCP server, for the ledger of sign-ins. No token, and nothing of an answer's text. */
export function oauthEvent(e: OAuthEvent, nowMs: number): Write {
  const host = e.issuer !== null && URL.canParse(e.issuer) ? { idp_host: new URL(e.issuer).host } : {};
  const whose = e.principal === "" ? {} : { principal: e.principal };
  return insert(authEvent, {
    ...{ id: newId("auth"), atMs: nowMs, projectId: DEFAULT_PROJECT, kind: e.kind },
    ...{
      outcome: FAILED.test(e.kind) ? ("failed" as const) : ("ok" as const),
      callerId: e.actor?.slice(0, 100) ?? null,
      targetId: e.server,
    },
    ...{ address: null, requestId: null, detail: { ...host, ...whose, ...e.detail } },
  });
}
