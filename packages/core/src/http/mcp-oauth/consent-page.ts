import type { Inbound } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Consent } from "../../mcp/index.js";
import { escaped, type Page } from "./html-page.js";

const MAX_FORM_BYTES = 4_096;

/** Who wants what, for whom, and where it leads: what a person has to know before the gateway may act in their name (MCP, Security Best Practices, "Confused Deputy"). `form`: what the page's form brings back; `wrong`: what was the matter with it last time. */
export function consentPage(
  consent: Consent & { readonly asksCode: boolean },
  o: { readonly form: string; readonly wrong?: string | undefined },
): Page {
  const { server, startedBy, principal, host, formerHost, scope, redirectUri, asksCode } = consent;
  const isShared = principal === "";
  const lines = [
    ...(o.wrong === undefined ? [] : [o.wrong]),
    `${startedBy} asked this gateway to use your account at ${host}, for the MCP server ${server}${scope === null ? "" : ` (${scope})`}.`,
    isShared
      ? "Everybody who may use this server here will act there in your name."
      : `${startedBy} (${principal}) alone will act there in your name, through this gateway.`,
    ...(formerHost === null
      ? []
      : [
          `So far this server was signed in at by ${formerHost}. It names ${host} now: go on only if you know that it moved. Otherwise somebody else may have taken its place.`,
        ]),
    `You come back to ${new URL(redirectUri).host}.`,
    "Go on only if you asked for it yourself, just now.",
    ...(asksCode ? ["Type the code that came with this address. Nobody else has it, and nobody has to send it to you."] : []),
  ];
  const code = asksCode
    ? '<p><label>Code <input name="code" autocomplete="off" autocapitalize="characters" required maxlength="20" placeholder="XXXX-XXXX"></label></p>'
    : "";
  const button = formerHost === null ? "Go on" : `Go on to ${host}`;
  return {
    title: "Sign in?",
    lines,
    form: `<form method="post"><input type="hidden" name="form" value="${escaped(o.form)}">${code}<button>${escaped(button)}</button></form>`,
  };
}

/** What the form of a page brings. Errors: `unsupported_media_type`, `payload_too_large`, `cancelled`. */
export async function readForm(inbound: Inbound): Promise<URLSearchParams> {
  const type = inbound.header("content-type")?.split(";")[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded")
    throw new GatewayError("unsupported_media_type", "This is sent by the form of its own page.", {
      hint: "Open the address in a browser.",
    });
  return new URLSearchParams(new TextDecoder().decode(await inbound.body(MAX_FORM_BYTES)));
}
