import { GatewayError } from "../../../errors/index.js";
import type { HttpClient, HttpResponse } from "../../../ports/index.js";
import type { FetchedMedia, UrlMedia } from "../../../wire/shared/adapt-call.js";
import { encodeBase64 } from "../../../wire/shared/base64.js";

export interface FetchingMedia {
  readonly http: HttpClient;
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
  readonly nowMs: number;
}

/** What one URL may hold; vendors take no larger picture. */
const MAX_BYTES = 20_971_520;
/** Of one call. */
const MAX_URLS = 32;
const MAX_REDIRECTS = 3;
const LONGEST_MS = 20_000;
const IDLE_MS = 10_000;
const TYPES = /^(?:(?:image|audio|video)\/[a-z0-9.+-]+|application\/pdf|text\/plain)$/;

/**
 * Fetches what a caller named by URL for a target that cannot: only from public addresses, checked anew after each redirect, only media, and no more than 20 MiB each.
 * Errors: `validation_failed` naming the field for what cannot be fetched or is no media of the kind that was said; `address_refused`, `cancelled`.
 */
export async function fetchMedia(wanted: readonly UrlMedia[], o: FetchingMedia): Promise<ReadonlyMap<string, FetchedMedia>> {
  const byUrl = new Map(wanted.map((media) => [media.url, media]));
  if (byUrl.size > MAX_URLS)
    throw new GatewayError("validation_failed", `The call names ${byUrl.size} media by URL, and ${MAX_URLS} are fetched at the most.`, {
      hint: "Send them as base64, or fewer of them.",
    });
  const fetched = await Promise.all([...byUrl.values()].map(async (media) => [media.url, await fetchOne(media, o)] as const));
  return new Map(fetched);
}

async function fetchOne(media: UrlMedia, o: FetchingMedia): Promise<FetchedMedia> {
  try {
    const response = await follow(media.url, o);
    const mediaType = typeOf(response, media);
    return { mediaType, data: encodeBase64(await response.bytes(MAX_BYTES)) };
  } catch (error) {
    throw refused(media, error);
  }
}

/** The caller's headers go nowhere, so a redirect can carry nothing away. */
async function follow(url: string, o: FetchingMedia): Promise<HttpResponse> {
  let at = url;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const response = await o.http.exchange(
      { method: "GET", url: at, headers: [["accept", "*/*"]], body: null, trust: "untrusted", idleMs: IDLE_MS, endByMs: deadlineOf(o) },
      { deadlineMs: deadlineOf(o), signal: o.signal },
    );
    if (response.status >= 200 && response.status < 300) return response;
    response.discard();
    const location = response.headers.find(([name]) => name === "location")?.[1];
    if (response.status < 300 || response.status >= 400 || location === undefined || !URL.canParse(location, at))
      throw new GatewayError("bad_request", `it answered ${response.status}`);
    at = new URL(location, at).href;
  }
  throw new GatewayError("bad_request", `it redirects more than ${MAX_REDIRECTS} times`);
}

function typeOf(response: HttpResponse, media: UrlMedia): string {
  const said = response.headers.find(([name]) => name === "content-type")?.[1] ?? "";
  const type = said.split(";")[0]!.trim().toLowerCase();
  const meant = type === "" || type === "application/octet-stream" ? media.mediaType : type;
  const [kind] = media.mediaType.split("/");
  const isOfKind = kind === "application" || kind === "*" || meant.startsWith(`${kind}/`);
  if (TYPES.test(meant) && isOfKind) return meant;
  response.discard();
  throw new GatewayError("bad_request", `it holds ${TYPES.test(type) ? type : "something else"}, not ${media.mediaType}`);
}

/** What is wrong with a caller's URL is the caller's affair, whoever failed. */
function refused({ field }: UrlMedia, error: unknown): GatewayError {
  const known = GatewayError.from(error);
  if (known.code === "cancelled" || known.code === "shutting_down" || known.code === "internal") return known;
  const code = known.code === "address_refused" ? "address_refused" : "validation_failed";
  const why = known.code === "payload_too_large" ? `it is larger than ${MAX_BYTES} bytes` : known.message;
  return new GatewayError(code, `The URL in ${field} cannot be fetched: ${why}`, {
    hint: "Send it as base64, or choose a model whose vendor fetches URLs itself.",
    details: { field },
    cause: known,
  });
}

function deadlineOf(o: FetchingMedia): number {
  return Math.min(o.deadlineMs, o.nowMs + LONGEST_MS);
}
