import { agreedToken, consentToken, setAgreedCookie, setConsentCookie } from "../../access/sign-in/cookies.js";
import { assertOwnPage } from "../../access/sign-in/same-site.js";
import type { Caller, HttpAnswer, Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { McpOAuth } from "../../mcp/index.js";
import { oauthPageRoutes } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import { toBase64Url } from "../../util/encoding/base64url.js";
import { jsonAnswer } from "../answers.js";
import type { OpenExchange, OpenHandler } from "../exchange.js";
import { readInput } from "../faces/rest-face.js";
import { consentPage, readForm } from "./consent-page.js";
import { movedTo, pageAnswer } from "./html-page.js";

export interface OAuthPagesOptions {
  readonly oauth: () => McpOAuth;
  readonly services: Services;
  /** The user of a browser; null: the gateway does not know them. */
  readonly userOf: (inbound: Inbound) => Promise<Caller | null>;
}

const FORM_MS = 600_000;

/** What of a sign-in at an MCP server happens in a browser: pages of plain text, without script. */
export function oauthPages(o: OAuthPagesOptions): Readonly<Record<keyof typeof oauthPageRoutes, OpenHandler>> {
  return {
    callback: (x) => finished(o, x),
    consent: async (x) => {
      const { params } = await readInput(oauthPageRoutes.consent, x);
      return asked(o, x, params);
    },
    agree: async (x) => {
      assertOwnPage(x.inbound);
      const { params } = await readInput(oauthPageRoutes.agree, x);
      const form = await readForm(x.inbound);
      // A page of elsewhere that brings a browser here with a link and code of its own has not got what our page was given (T36, T39).
      const shown = consentToken(x.inbound);
      if (shown === null || form.get("form") !== shown)
        return asked(o, x, { ...params, wrong: "That did not come from this page. Try again." });
      try {
        const caller = await o.userOf(x.inbound);
        const agreed = await o.oauth().agree(params.ticket, { caller, code: form.get("code") });
        const { id, cookie: token, maxAgeMs } = agreed;
        return movedTo(303, agreed.authorizationUrl, [setAgreedCookie(x.inbound, { id, token, maxAgeMs })]);
      } catch (error) {
        if (GatewayError.is(error, "conflict") || isCode(error)) return asked(o, x, { ...params, wrong: error.message });
        return refused(error);
      }
    },
    client: () => {
      const document = o.oauth().clientDocument();
      if (document === null)
        throw new GatewayError("not_found", "This gateway has no client metadata document.", {
          hint: "It needs an https access.publicUrl.",
        });
      return jsonAnswer(200, document);
    },
  };
}

/** The page that asks; with `wrong` once more. */
async function asked(
  o: OAuthPagesOptions,
  { inbound }: OpenExchange,
  { ticket, wrong }: { readonly ticket: string; readonly wrong?: string },
): Promise<HttpAnswer> {
  try {
    const consent = await o.oauth().consent(ticket, await o.userOf(inbound));
    // One of several pages that are open in a browser does not take the others' away.
    const form = consentToken(inbound) ?? toBase64Url(o.services.crypto.random(32));
    return pageAnswer(wrong === undefined ? 200 : 403, consentPage(consent, { form, wrong }), [setConsentCookie(inbound, form, FORM_MS)]);
  } catch (error) {
    return refused(error);
  }
}

/** The browser is somebody else's than the sign-in: its user is told so. Other errors are answered as everywhere. */
function refused(error: unknown): HttpAnswer {
  if (!GatewayError.is(error, "forbidden")) throw error;
  return pageAnswer(403, { title: "Not signed in", lines: [error.message, error.hint ?? ""].filter((line) => line !== "") });
}

function isCode(error: unknown): error is GatewayError {
  return GatewayError.is(error, "forbidden") && error.details?.["reason"] === "confirmation_code";
}

async function finished(o: OAuthPagesOptions, { inbound, requestId }: OpenExchange): Promise<HttpAnswer> {
  try {
    const cookieOf = (id: string): string | null => agreedToken(inbound, id);
    const { id, returnUrl, server } = await o.oauth().finish(new URLSearchParams(inbound.query), cookieOf);
    const cookies = [setAgreedCookie(inbound, { id, token: "", maxAgeMs: 0 })];
    if (returnUrl !== null) return movedTo(302, returnUrl, cookies);
    return pageAnswer(200, { title: "Signed in", lines: [`The gateway is signed in at ${server}. You can close this window.`] }, cookies);
  } catch (error) {
    const known = GatewayError.from(error);
    o.services.log.warn("a sign-in at an MCP server was not finished", { code: known.code, error: known.message, requestId });
    const lines = known.blame === "gateway" ? ["Something went wrong."] : [known.message, known.hint ?? ""];
    return pageAnswer(400, { title: "Not signed in", lines: lines.filter((line) => line !== "") });
  }
}
