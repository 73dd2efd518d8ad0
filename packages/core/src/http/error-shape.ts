import type { Inbound, ProtocolId } from "../calls/index.js";
import type { Route } from "../routes/index.js";
import type { ErrorShape } from "./answers.js";

/** Paths below these are one vendor's, also those that nobody answers. */
const places: readonly (readonly [string, ProtocolId])[] = [
  ["/v1beta/", "google-genai"],
  ["/v1/messages", "anthropic-messages"],
  ["/v1/responses", "openai-responses"],
];

/**
 * The dialect of a path that several vendors have, by what only one vendor's SDK sends: Anthropic's `anthropic-version`, Google's `x-goog-api-key` or `?key=`. Who sends neither speaks
 * OpenAI's.
 */
export function dialectOfHeaders(inbound: Pick<Inbound, "header" | "query">): ProtocolId {
  if (inbound.header("anthropic-version") !== undefined) return "anthropic-messages";
  const isGoogle = inbound.header("x-goog-api-key") !== undefined || /(?:^|&)key=/.test(inbound.query);
  return isGoogle ? "google-genai" : "openai-chat";
}

/** The shape that errors of a request leave in: a vendor's where a vendor's SDK reads them, ours elsewhere. `route`: what the path has, if anything. */
export function errorShapeOf(inbound: Pick<Inbound, "header" | "query" | "path">, route: Route | undefined): ErrorShape {
  if (route !== undefined && route.face !== "dialect") return "own";
  if (route !== undefined && route.byHeaders !== true) return route.protocol;
  const { path } = inbound;
  for (const [place, protocol] of places) if (path.startsWith(place)) return protocol;
  return path.startsWith("/v1/") ? dialectOfHeaders(inbound) : "own";
}
