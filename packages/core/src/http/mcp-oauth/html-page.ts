import type { SetCookie } from "../../access/sign-in/cookies.js";
import type { Headers, HttpAnswer } from "../../calls/index.js";

const encoder = new TextEncoder();

/**
 * Nothing is loaded, framed or kept, and no address of it is told to where it leads. Not `no-referrer`: with it browsers send a form with the Origin `null`, as a page of nobody's. Source: Fetch, "append a request `Origin` header".
 */
const pageHeaders: Headers = [
  ["content-type", "text/html; charset=utf-8"],
  ["content-security-policy", "default-src 'none'; base-uri 'none'; frame-ancestors 'none'"],
  ["x-frame-options", "DENY"],
  ["x-content-type-options", "nosniff"],
  ["referrer-policy", "same-origin"],
  ["cache-control", "no-store"],
];

export interface Page {
  readonly title: string;
  /** Plain text, one paragraph each. */
  readonly lines: readonly string[];
  /** Markup of our own. */
  readonly form?: string | undefined;
}

/** A page of plain text, without script. */
export function pageAnswer(status: number, { title, lines, form = "" }: Page, cookies: readonly SetCookie[] = []): HttpAnswer {
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escaped(title)}</title>`;
  const text = lines.map((line) => `<p>${escaped(line)}</p>`).join("");
  const html = `<!doctype html><html lang="en"><head>${head}</head><body><h1>${escaped(title)}</h1>${text}${form}</body></html>`;
  return { status, headers: [...pageHeaders, ...cookies], body: { kind: "bytes", bytes: encoder.encode(html) }, done: () => undefined };
}

export function movedTo(status: 302 | 303, location: string, cookies: readonly SetCookie[]): HttpAnswer {
  const answer = pageAnswer(status, { title: "Moved", lines: ["Go on in your browser."] }, cookies);
  return { ...answer, headers: [...answer.headers, ["location", location]] };
}

export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}
