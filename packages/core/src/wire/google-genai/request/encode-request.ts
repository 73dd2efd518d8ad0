import type { ModelCall } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import type { EncodedRequest, Quirks, Warning } from "../../shared/codec.js";
import { unsupported } from "../../shared/fields.js";
import { jsonText } from "../../shared/raw-json.js";
import { googleExtras, said } from "../extras.js";
import { methodPath } from "../model-path.js";
import { requestHeaders } from "../../shared/requests/request-headers.js";
import { encodeContents } from "./encode-contents.js";
import { encodeConfig, maxStopSequences } from "./generation-config.js";
import { encodeToolConfig, encodeTools } from "./tools.js";

type Warn = (field: string, what: string) => void;

/** What Google's labels are made of. Source: https://cloud.google.com/resource-manager/docs/labels-overview#requirements */
const labelKey = /^[a-z][a-z0-9_-]{0,62}$/;
const labelValue = /^[a-z0-9_-]{0,63}$/;

/**
 * `Codec.encodeRequest` of Google's protocol. Equal calls have equal bytes, so that a vendor's prompt cache recognises them. What Google has in another form, or can
 * do without, is named in `warnings`. Errors: `unsupported_feature` for what the protocol cannot carry and may not be left out.
 */
export function encodeRequest(
  call: ModelCall,
  o: { readonly model: string; readonly stream: boolean; readonly quirks: Quirks },
): EncodedRequest {
  const warnings: Warning[] = [];
  const body = encodeBody(call, (field, what) => void warnings.push({ field, what }));
  const method = o.stream ? "streamGenerateContent" : "generateContent";
  return {
    path: methodPath(o.model, method, o.quirks),
    headers: requestHeaders(o.stream),
    bytes: utf8(jsonText(body)),
    ...(warnings.length === 0 ? {} : { warnings }),
  };
}

/** The body of a call; what only steers an answer is in `generationConfig`. */
export function encodeBody(call: ModelCall, warn: Warn): Readonly<Record<string, unknown>> {
  const { generationConfig, toolConfig, ...own } = googleExtras(call);
  if ((call.stop?.length ?? 0) > maxStopSequences)
    throw unsupported("stop", `has more than ${maxStopSequences} texts, of which Google takes no more`);
  warnOfLeftOut(call, warn);
  return {
    ...own,
    ...encodeContents(call.messages, warn),
    tools: call.tools === undefined ? undefined : encodeTools(call.tools, warn),
    toolConfig: encodeToolConfig(call, toolConfig),
    generationConfig: encodeConfig(call, generationConfig, warn),
    serviceTier: encodeTier(call.serviceTier),
    labels: encodeLabels(call.metadata, warn),
  };
}

function warnOfLeftOut(call: ModelCall, warn: Warn): void {
  if (call.user !== undefined) warn("user", "was left out: Google has no field for it");
  if (call.promptCacheKey !== undefined) warn("promptCacheKey", "was left out: Google caches by itself");
  for (const field of ["promptCacheRetention", "verbosity", "store"] as const)
    if (call[field] !== undefined && call[field] !== false) warn(field, "was left out: Google has no field for it");
  if (call.parallelToolCalls === false) warn("parallelToolCalls", "was left out: Google decides itself how many calls it makes at once");
}

/** `auto` is what happens when nothing is said. */
function encodeTier(tier: string | undefined): string | undefined {
  if (tier === "auto") return undefined;
  return tier === "default" ? "standard" : tier;
}

function encodeLabels(metadata: ModelCall["metadata"], warn: Warn): Readonly<Record<string, unknown>> | undefined {
  if (metadata === undefined) return undefined;
  const labels = Object.entries(metadata).filter(([key, value]) => {
    if (labelKey.test(key) && typeof value === "string" && labelValue.test(value)) return true;
    warn(`metadata.${key.slice(0, 64)}`, "was left out: Google's labels are made of small letters, digits, _ and -");
    return false;
  });
  return said(Object.fromEntries(labels));
}
