import type { Candidate, ModelAnswer, TextPart } from "../../../calls/index.js";
import { utf8 } from "../../../util/json.js";
import { jsonText } from "../../shared/raw-json.js";
import { googleExtras } from "../extras.js";
import { encodeCitations, type PlacedCitation } from "./citations.js";
import { brokenCall, encodePart, isBroken } from "./encode-parts.js";
import { encodeFinish } from "./finish-reason.js";
import { encodeLogprobs } from "./logprobs.js";
import { encodeUsage } from "./usage.js";

type Json = Readonly<Record<string, unknown>>;

/** `Codec.encodeAnswer` of Google's protocol. Usage that is not known is left out. */
export function encodeAnswer(answer: ModelAnswer): Uint8Array {
  const { usageMetadata: own, ...extras } = googleExtras(answer);
  const usage = encodeUsage(answer.usage, own);
  const [first] = answer.candidates;
  const feedback = first === undefined ? undefined : blockOf(first);
  const candidates = feedback === undefined ? { candidates: answer.candidates.map(encodeCandidate) } : { promptFeedback: feedback };
  const body = {
    ...candidates,
    ...(usage === null ? {} : { usageMetadata: usage }),
    ...extras,
    ...headOf(answer),
  };
  return utf8(jsonText({ ...body, ...candidates }));
}

/** What names an answer. */
export function headOf(answer: Pick<ModelAnswer, "id" | "model" | "createdAtMs">): Json {
  return { modelVersion: answer.model, createTime: new Date(answer.createdAtMs).toISOString(), responseId: answer.id };
}

/** The vendor's own word on a prompt that it refused, which has no candidates. */
function blockOf(candidate: Candidate): unknown {
  const { promptFeedback } = googleExtras(candidate);
  return candidate.content.every((part) => part.type === "refusal") ? promptFeedback : undefined;
}

function encodeCandidate(candidate: Candidate): Json {
  const { groundingMetadata, logprobsResult, promptFeedback: _feedback, ...own } = googleExtras(candidate);
  const texts = candidate.content.filter((part): part is TextPart => part.type === "text");
  const broken = candidate.content.find((part) => part.type === "tool-call" && isBroken(part));
  const ended =
    broken?.type === "tool-call" ? brokenCall(broken) : { finishReason: encodeFinish(candidate.finishReason, candidate.rawFinishReason) };
  const parts = candidate.content.flatMap(encodePart);
  return {
    ...own,
    // Google's own SDK takes an answer without any part for none.
    content: { parts: parts.length === 0 ? [{ text: "" }] : parts, role: "model" },
    ...ended,
    index: candidate.index,
    ...groundingFields(groundingMetadata, placedIn(texts), texts.map((part) => part.text).join("")),
    logprobsResult: encodeLogprobs(texts.flatMap((part) => part.logprobs ?? [])) ?? logprobsResult,
  };
}

/** The vendor's own words on what an answer rests on, where it had more to say than citations hold. */
export function groundingFields(own: unknown, placed: readonly PlacedCitation[], text: string): Json {
  const fields = encodeCitations(placed, text);
  if (typeof own !== "object" || own === null) return fields;
  const hasSources = "groundingChunks" in own || "groundingSupports" in own;
  return { ...fields, groundingMetadata: hasSources ? own : { ...own, ...(fields["groundingMetadata"] as Json | undefined) } };
}

/** Citations with their places in the whole text. */
function placedIn(texts: readonly TextPart[]): PlacedCitation[] {
  let before = 0;
  return texts.flatMap((part) => {
    const placed = (part.citations ?? []).map((citation) => placedBehind(citation, before));
    before += part.text.length;
    return placed;
  });
}

export function placedBehind(citation: PlacedCitation["citation"], before: number): PlacedCitation {
  const { start, end } = citation;
  return {
    citation,
    ...(start === undefined ? {} : { start: before + start }),
    ...(end === undefined ? {} : { end: before + end }),
  };
}
