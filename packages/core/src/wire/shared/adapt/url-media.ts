import type { MediaPart, Message, ModelCall, ToolResultPart } from "../../../calls/index.js";
import type { AdaptTarget } from "./adapting.js";

/** Media that is named by URL. `field` says where it stands. */
export interface UrlMedia {
  readonly field: string;
  readonly url: string;
  readonly mediaType: string;
}
/** What was found at a URL. */
export interface FetchedMedia {
  readonly mediaType: string;
  /** In base64. */
  readonly data: string;
}

/** The media of a call that has to be fetched because the target does not take it by URL; without a target, all that is named by URL. In order, each place once. */
export function urlMediaOf(call: ModelCall, target?: Pick<AdaptTarget, "traits" | "quirks">): UrlMedia[] {
  const found: UrlMedia[] = [];
  mapMedia(call.messages, (part, field) => {
    if (part.source.kind === "url" && (target === undefined || !takes(part, target)))
      found.push({ field, url: part.source.url, mediaType: part.mediaType });
    return part;
  });
  return found;
}

/** The call with the bytes of what was fetched, by URL, in place of the URLs. What was not fetched stays as it is. */
export function withMedia(call: ModelCall, fetched: ReadonlyMap<string, FetchedMedia>): ModelCall {
  if (fetched.size === 0) return call;
  const messages = mapMedia(call.messages, (part) => {
    const media = part.source.kind === "url" ? fetched.get(part.source.url) : undefined;
    return media === undefined ? part : { ...part, mediaType: media.mediaType, source: { kind: "base64", data: media.data } };
  });
  return { ...call, messages };
}

function takes({ mediaType }: MediaPart, { traits, quirks }: Pick<AdaptTarget, "traits" | "quirks">): boolean {
  return quirks.mediaByUrl !== false && (traits.mediaByUrl?.test(mediaType) ?? true);
}

/** The messages with each of their media changed, those in results too; the very same messages where nothing is. */
export function mapMedia(messages: readonly Message[], change: (part: MediaPart, field: string) => MediaPart): readonly Message[] {
  if (!messages.some(holdsMedia)) return messages;
  return messages.map((message, i) => {
    const content = message.content.map((part, j) => {
      const field = `messages[${i}].content[${j}]`;
      if (part.type === "media") return change(part, field);
      return part.type === "tool-result" ? mapResult(part, field, change) : part;
    });
    return content.some((part, j) => part !== message.content[j]) ? ({ ...message, content } as Message) : message;
  });
}

function holdsMedia(message: Message): boolean {
  for (const part of message.content)
    if (part.type === "media" || (part.type === "tool-result" && part.content.some((inner) => inner.type === "media"))) return true;
  return false;
}

function mapResult(result: ToolResultPart, field: string, change: (part: MediaPart, field: string) => MediaPart): ToolResultPart {
  const content = result.content.map((part, k) => (part.type === "media" ? change(part, `${field}.content[${k}]`) : part));
  return content.some((part, k) => part !== result.content[k]) ? { ...result, content } : result;
}
