import type { Headers, HttpRequest } from "../ports/index.js";

/** One exchange with an upstream, as a cassette keeps it. Request headers are not kept: they carry credentials and say nothing of the question. */
export interface Recording {
  readonly request: { readonly method: string; readonly url: string; readonly body: unknown };
  readonly response: { readonly status: number; readonly headers: Headers; readonly body: string };
}

/** A request without what changes from run to run: the body as JSON where it is JSON, with sorted keys. */
export function questionOf(request: HttpRequest): Recording["request"] {
  const text = request.body instanceof Uint8Array ? new TextDecoder().decode(request.body) : "";
  return { method: request.method, url: request.url, body: parsed(text) };
}

/** Equal questions have equal keys. */
export function keyOf(question: Recording["request"]): string {
  return JSON.stringify(sorted(question));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text; // not JSON: kept as text
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  );
}

/** The recording most like the question, and the paths at which the two differ. */
export function nearest(
  question: Recording["request"],
  recordings: readonly Recording[],
): { readonly recording: Recording; readonly differences: readonly string[] } | null {
  let best: { recording: Recording; differences: readonly string[] } | null = null;
  for (const recording of recordings) {
    const differences = compare(recording.request, question, "");
    if (best === null || differences.length < best.differences.length) best = { recording, differences };
  }
  return best;
}

function compare(recorded: unknown, asked: unknown, path: string): string[] {
  if (isObject(recorded) && isObject(asked)) {
    const keys = new Set([...Object.keys(recorded), ...Object.keys(asked)]);
    return [...keys].sort().flatMap((key) => compare(recorded[key], asked[key], path === "" ? key : `${path}.${key}`));
  }
  if (Array.isArray(recorded) && Array.isArray(asked))
    return Array.from({ length: Math.max(recorded.length, asked.length) }, (_, i) =>
      compare(recorded[i], asked[i], `${path}[${i}]`),
    ).flat();
  if (Object.is(recorded, asked)) return [];
  return [`${path}: recorded ${shown(recorded)}, asked ${shown(asked)}`];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
function shown(value: unknown): string {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
