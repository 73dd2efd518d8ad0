import type { HttpAnswer } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Crypto } from "../../ports/index.js";
import { docRoutes, openApi } from "../../routes/index.js";
import type { OpenExchange, OpenHandler } from "../exchange.js";
import { jsonBytesAnswer } from "../answers.js";
import { docsPage, docsStyle } from "./docs-page.js";

export interface DocsOptions {
  readonly crypto: Pick<Crypto, "sha256">;
  /** `server.docs` as it stands. */
  readonly isShown: () => boolean;
}

const encoder = new TextEncoder();
/** A gateway is mounted at a path or two; the host says which. */
const MOST_KEPT = 16;

/** The document and its page: made at the first request of a mounted path and kept, since the routes of a process do not change. */
export function docHandlers(o: DocsOptions): Readonly<Record<keyof typeof docRoutes, OpenHandler>> {
  const kept = new Map<string, { readonly document: Uint8Array; readonly page: Uint8Array }>();
  const made = ({ inbound }: OpenExchange) => {
    if (!o.isShown()) throw new GatewayError("not_found", "This gateway does not show its documentation.", { hint: "server.docs is off." });
    const serverUrl = inbound.basePath === "" ? "/" : inbound.basePath;
    let found = kept.get(serverUrl);
    if (found === undefined) {
      const document = openApi(serverUrl);
      found = { document: encoder.encode(JSON.stringify(document)), page: encoder.encode(docsPage(document)) };
      if (kept.size < MOST_KEPT) kept.set(serverUrl, found);
    }
    return found;
  };
  const policy = contentPolicy(o.crypto);
  return {
    openapi: (x) => jsonBytesAnswer(made(x).document, [["cache-control", "no-cache"]]),
    page: (x): HttpAnswer => ({
      status: 200,
      headers: [
        ["content-type", docRoutes.page.output.contentType],
        ["content-security-policy", policy],
        ["x-content-type-options", "nosniff"],
        ["referrer-policy", "no-referrer"],
        ["cache-control", "no-cache"],
      ],
      body: { kind: "bytes", bytes: made(x).page },
      done: () => undefined,
    }),
  };
}

/** No script, no request, no frame; the one style sheet is known by its digest. */
function contentPolicy(crypto: DocsOptions["crypto"]): string {
  const digest = btoa(String.fromCharCode(...crypto.sha256(encoder.encode(docsStyle))));
  return `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}
