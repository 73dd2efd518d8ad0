import { GatewayError } from "../../errors/index.js";
import type { HttpClient, Within } from "../../ports/index.js";
import { parseUpstreamJson } from "../../wire/shared/upstream-json.js";
import type { Provider } from "../provider.js";
import { vendorLists, type VendorModel } from "./vendor-list.js";

/** What a vendor lists beside what the gateway knows of one of its providers. */
export interface ModelsDiff {
  readonly provider: string;
  /** The vendor lists them, and the gateway did not: sorted. */
  readonly added: readonly string[];
  /** The gateway lists them, and the vendor does not, under none of their ids: gone, perhaps. Sorted. */
  readonly missing: readonly string[];
  /** How many are in both. */
  readonly known: number;
}

/** More pages than any vendor has, and a list larger than any. */
const MAX_PAGES = 50;
const MAX_PAGE_BYTES = 16_777_216;

/**
 * Asks the vendor of a provider for its models. Changes nothing unless `add` says that new ones are to be listed.
 * Errors: `unsupported_feature` for a provider that answers in this process, `upstream_credential`, `upstream_unavailable`, `upstream_protocol`, those of the HTTP client.
 */
export async function refreshModels(
  provider: Provider,
  o: { readonly http: HttpClient; readonly nowMs: number; readonly add: boolean; readonly idleMs: number },
  w: Within,
): Promise<ModelsDiff> {
  const listed = await askVendor(provider, o, w);
  const theirs = new Map(listed.map((model) => [model.code, model]));
  const ours = [...provider.models];
  const added = [...theirs.keys()].filter((code) => provider.model(code) === null).sort();
  const gone = ours.filter(({ code, aliases }) => ![code, ...aliases].some((id) => theirs.has(id)));
  const missing = gone.map(({ code }) => code).sort();
  if (o.add) for (const code of added) provider.add(theirs.get(code)!);
  return { provider: provider.name, added, missing, known: ours.length - missing.length };
}

async function askVendor(
  provider: Provider,
  o: { readonly http: HttpClient; readonly nowMs: number; readonly idleMs: number },
  w: Within,
): Promise<readonly VendorModel[]> {
  const { reach } = provider;
  if (reach.kind !== "http")
    throw new GatewayError("unsupported_feature", `The provider "${provider.name}" answers in this process and has no vendor to ask.`);
  const list = vendorLists[reach.protocols[0]!];
  const headers = provider.headersFor(provider.keys.pick(new Set(), o.nowMs));
  const models: VendorModel[] = [];
  let after: string | null = null;
  for (let page = 0; page < MAX_PAGES; page++) {
    const url = reach.baseUrl + list.path(after, reach.quirks);
    const response = await o.http.exchange({ method: "GET", url, headers, body: null, trust: reach.trust, idleMs: o.idleMs }, w);
    if (response.status !== 200) {
      response.discard();
      throw refused(provider.name, response.status);
    }
    const read = list.read(parseUpstreamJson(await response.bytes(MAX_PAGE_BYTES)));
    models.push(...read.models);
    after = read.after;
    if (after === null) return models;
  }
  throw new GatewayError("upstream_protocol", `The list of models of "${provider.name}" does not end.`);
}

function refused(provider: string, status: number): GatewayError {
  const isCredential = status === 401 || status === 403;
  return new GatewayError(
    isCredential ? "upstream_credential" : "upstream_unavailable",
    `The provider "${provider}" answered with status ${status} when asked for its models.`,
    { hint: isCredential ? `Check providers.${provider}.apiKey.` : `Check providers.${provider}.baseUrl.`, details: { provider, status } },
  );
}
