import type { Message, ModelCall, ModelHead, TextPart } from "../../calls/index.js";
import type { OpenCall } from "../step.js";

/** A call as what is asked last, and all that this stands in. */
export interface Question {
  /** The last thing that the user said. */
  readonly text: string;
  /** The same call without it. */
  readonly frame: ModelCall;
}

/** Embedding models read no more. */
const MAX_LENGTH = 8_000;

/**
 * What may be answered with the answer of a question that only means the same; null: nothing, for calls with tools, pictures, sound or files anywhere, with headers that go on to the vendor, or that do
 * not end with a text of the user. All that is not that text has to be equal.
 */
export function questionOf(call: Pick<OpenCall<ModelHead>, "content" | "wire">): Question | null {
  if ((call.wire?.headers?.length ?? 0) > 0) return null;
  const asked = modelCallOf(call);
  if (asked === null || (asked.tools?.length ?? 0) > 0 || (asked.outputModalities ?? []).some((one) => one !== "text")) return null;
  if (!asked.messages.every(isText)) return null;
  const last = asked.messages.at(-1);
  if (last?.role !== "user") return null;
  const text = (last.content as readonly TextPart[]).map((part) => part.text).join("\n");
  if (text.trim() === "" || text.length > MAX_LENGTH) return null;
  return { text, frame: { ...asked, messages: [...asked.messages.slice(0, -1), { ...last, content: [] }] } };
}

function modelCallOf(call: Pick<OpenCall<ModelHead>, "content">): ModelCall | null {
  try {
    const content = call.content();
    return content.kind === "model" ? content.call : null;
  } catch {
    return null; // whoever needs the content says what is wrong with it
  }
}

function isText({ content }: Message): boolean {
  return content.every((part) => part.type === "text");
}
