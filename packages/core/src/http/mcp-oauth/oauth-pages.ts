import { assertOwnPage } from "../../access/sign-in/same-site.js";
import { agreedToken, setAgreedCookie, type SetCookie } from "../../access/sign-in/cookies.js";
import type { Headers, HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Consent, McpOAuth } from "../../mcp/index.js";
import { oauthPageRoutes } from "../../routes/index.js";
import type { Log } from "../../util/log.js";
import { jsonAnswer } from "../answers.js";
import type { OpenHandler } from "../exchange.js";
import { readInput } from "../faces/rest-face.js";

export interface OAuthPagesOptions {
  readonly oauth: () => McpOAuth;
  readonly log: Log;
}

const encoder = new TextEncoder();

/** What of a sign-in at an MCP server happens in a browser, which has no key: pages of plain text, without script. */
export function oauthPages(o: OAuthPagesOptions): Readonly<Record<keyof typeof oauthPageRoutes, OpenHandler>> {
  return {
    callback: async (x) => {
      try {
        const { returnUrl, server } = await o.oauth().finish(new URLSearchParams(x.inbound.query), agreedToken(x.inbound));
        const cookies = [setAgreedCookie(x.inbound, "", 0)];
        return returnUrl === null
          ? htmlAnswer(200, page("Signed in", [`The gateway is signed in at ${server}. You can close this window.`]), cookies)
          : movedTo(302, returnUrl, cookies);
      } catch (error) {
        const known = GatewayError.from(error);
        o.log.warn("a sign-in at an MCP server was not finished", { code: known.code, error: known.message, requestId: x.requestId });
        const lines = known.blame === "gateway" ? ["Something went wrong."] : [known.message, known.hint ?? ""];
        return htmlAnswer(
          400,
          page(
            "Not signed in",
            lines.filter((line) => line !== ""),
          ),
        );
      }
    },
    consent: async (x) => {
      const { params } = await readInput(oauthPageRoutes.consent, x);
      return htmlAnswer(200, consentPage(await o.oauth().consent(params.ticket)));
    },
    agree: async (x) => {
      assertOwnPage(x.inbound);
      const { params } = await readInput(oauthPageRoutes.agree, x);
      const { authorizationUrl, cookie, maxAgeMs } = await o.oauth().agree(params.ticket);
      return movedTo(303, authorizationUrl, [setAgreedCookie(x.inbound, cookie, maxAgeMs)]);
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

function consentPage({ server, startedBy, host }: Consent): string {
  const lines = [
    `${startedBy} asked this gateway to use your account at ${host}, for the MCP server ${server}.`,
    "Go on only if that is you, and you asked for it just now: whoever asked will act there in your name.",
  ];
  return page("Sign in?", lines, '<form method="post"><button>Go on</button></form>');
}

function page(title: string, lines: readonly string[], form = ""): string {
  const text = lines.map((line) => `<p>${escaped(line)}</p>`).join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escaped(title)}</title></head><body><h1>${escaped(title)}</h1>${text}${form}</body></html>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/** Nothing is loaded, framed or kept, and no address of it is told to where it leads. */
const pageHeaders: Headers = [
  ["content-type", "text/html; charset=utf-8"],
  ["content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "no-referrer"],
  ["cache-control", "no-store"],
];

function htmlAnswer(status: number, html: string, cookies: readonly SetCookie[] = []): HttpAnswer {
  return { status, headers: [...pageHeaders, ...cookies], body: { kind: "bytes", bytes: encoder.encode(html) }, done: () => undefined };
}

function movedTo(status: 302 | 303, location: string, cookies: readonly SetCookie[]): HttpAnswer {
  const answer = htmlAnswer(status, page("Moved", ["Go on in your browser."]), cookies);
  return { ...answer, headers: [...answer.headers, ["location", location]] };
}
