import { JsonScanner, KeyTable } from "../../../util/json-scanner.js";
import type { PathHead, ScannedHead } from "../../shared/codec.js";
import { invalid } from "../../shared/fields.js";
import { readInteger, scanSpans, type NestedScan, type Spans } from "../../shared/head-spans.js";

/** What somebody acts on, and the fields' other names. None may stand twice, whichever way it is written. */
const otherNames = new Map([
  ["system_instruction", "systemInstruction"],
  ["generation_config", "generationConfig"],
  ["tool_config", "toolConfig"],
  ["cached_content", "cachedContent"],
  ["safety_settings", "safetySettings"],
]);
const headKeys = new KeyTable(["contents", "model", "tools", ...otherNames.keys(), ...otherNames.values()]);
const limitKeys = new KeyTable(["maxOutputTokens", "max_output_tokens", "candidateCount", "candidate_count"]);
const limit = "generationConfig.maxOutputTokens";
const choices = "generationConfig.candidateCount";

/** `Codec.scanHead` of Google's protocol: model and stream are in the path. `spans` has the body's `model` where it was said, which some clients do. */
export function scanHead(bytes: Uint8Array, path?: PathHead): ScannedHead {
  const spans = scanSpans(bytes, headKeys, { generationConfig: scanConfig, generation_config: scanConfig });
  refuseBothNames(spans);
  if (path === undefined || path.model === "") throw invalid("model", "is missing: the path has to name it");
  if (spans["contents"] === undefined) throw invalid("contents", "is missing");
  if (bytes[spans["contents"].start] !== 0x5b) throw invalid("contents", "must be a list");
  return {
    kind: "model",
    protocol: "google-genai",
    operation: "generate",
    name: path.model,
    stream: path.stream,
    maxOutputTokens: readInteger(bytes, spans, limit),
    choices: readInteger(bytes, spans, choices),
    bytes: bytes.length,
    spans,
    wantsUsage: true,
  };
}

const scanConfig: NestedScan = (scanner, put) => {
  scanner.enterObject();
  for (let key = scanner.nextKey(limitKeys); key !== JsonScanner.end; key = scanner.nextKey(limitKeys)) {
    const start = scanner.pos;
    scanner.skip();
    if (key === JsonScanner.other) continue;
    put(limitKeys.names[key]!.startsWith("max") ? limit : choices, { start, end: scanner.pos });
  }
};

function refuseBothNames(spans: Spans): void {
  for (const [other, name] of otherNames)
    if (spans[other] !== undefined && spans[name] !== undefined) throw invalid(name, "stands twice, under both of its names");
}
