import { fold, unfold, type ModelAnswer, type ModelCall, type ModelEvent, type OperationName, type Operations } from "../../calls/index.js";

type Call = Operations[OperationName]["call"];
type Answer = Operations[OperationName]["answer"];

/** The texts of an operation beside chat, in an order that `withTexts` keeps to. Tokens as numbers are no text. */
export function textsOf(call: Call): string[] {
  const texts: string[] = [];
  withEachText(call, (text) => (texts.push(text), text));
  return texts;
}

/** The operation with other texts in the place of its own: those of the turn that a step read and wrote. */
export function withTexts<K extends OperationName>(name: K, call: Operations[K]["call"], said: ModelCall): Operations[K]["call"] {
  if (name === "count-tokens") return said as Operations[K]["call"];
  const texts = said.messages.flatMap(({ content }) => content.flatMap((part) => (part.type === "text" ? [part.text] : [])));
  let next = 0;
  return withEachText(call, (text) => texts[next++] ?? text) as Operations[K]["call"];
}

function withEachText(call: Call, text: (text: string) => string): Call {
  let changed: Record<string, unknown> = call as unknown as Record<string, unknown>;
  const set = (field: string, value: unknown): void => void (changed = { ...changed, [field]: value });
  if ("inputs" in call)
    set(
      "inputs",
      (call.inputs as readonly unknown[]).map((input) => {
        if (typeof input === "string") return text(input);
        return typeof input === "object" && input !== null && "imageUrl" in input ? { imageUrl: text(String(input.imageUrl)) } : input;
      }),
    );
  for (const field of ["prompt", "input", "instructions", "title"])
    if (typeof changed[field] === "string") set(field, text(changed[field]));
  return changed as unknown as Call;
}

/** What somebody reads of an operation's answer, as the stream of an answer of texts. */
export async function* answerEvents(answer: Answer): AsyncGenerator<ModelEvent> {
  const content = answerTexts(answer).map((text) => ({ type: "text" as const, text }));
  const candidates: ModelAnswer["candidates"] = [{ index: 0, content, finishReason: "stop" }];
  yield* unfold({ id: "", model: "", createdAtMs: 0, candidates, usage: {} });
}

/** The operation's answer with the texts that the steps let through. Words and segments say again what the text says: when it was changed they are left out. */
export async function answerWith<K extends OperationName>(
  answer: Operations[K]["answer"],
  events: AsyncIterable<ModelEvent>,
): Promise<Operations[K]["answer"]> {
  const { candidates } = await fold(events);
  const before = answerTexts(answer);
  const after = (candidates[0]?.content ?? []).flatMap((part) => (part.type === "text" ? [part.text] : []));
  if (before.every((text, i) => text === after[i])) return answer;
  if ("text" in answer) {
    const { segments: _segments, words: _words, ...rest } = answer;
    return { ...rest, text: after[0] ?? "" } as Operations[K]["answer"];
  }
  if (!("images" in answer)) return answer;
  let next = 0;
  const images = answer.images.map((image) =>
    image.revisedPrompt === undefined ? image : { ...image, revisedPrompt: after[next++] ?? "" },
  );
  return { ...answer, images } as Operations[K]["answer"];
}

function answerTexts(answer: Answer): string[] {
  if ("text" in answer) return [answer.text, ...(answer.segments ?? []).map(({ text }) => text)];
  if ("images" in answer) return answer.images.flatMap(({ revisedPrompt }) => (revisedPrompt === undefined ? [] : [revisedPrompt]));
  return [];
}
