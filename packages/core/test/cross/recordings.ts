import { fold, type ModelAnswer, type ModelEvent, type ProtocolId } from "../../src/calls/index.js";
import { framesOf, stream } from "../wire/chunks.js";
import { dataFiles, readData, readDataText } from "../wire/test-data.js";
import { codecs } from "./wires.js";

/** One answer that a vendor gave, whole or as a stream. */
export interface Recording {
  readonly vendor: ProtocolId;
  readonly name: string;
  /** Null for an answer that came whole. */
  readonly events: (() => AsyncIterable<ModelEvent>) | null;
  readonly answer: () => Promise<ModelAnswer>;
}

const folders: Readonly<Record<ProtocolId, readonly string[]>> = {
  "openai-chat": [
    ...["openai/chat", "deepseek/chat", "openai-compatible/chat", "groq", "mistral", "xai"].map((folder) => `recorded/${folder}`),
    "requests/response/completions",
  ],
  "openai-responses": [
    ...["openai", "xai", "open-responses"].map((vendor) => `recorded/${vendor}/responses`),
    "requests/response/responses",
  ],
  "anthropic-messages": ["recorded/anthropic", "requests/response/anthropic"],
  "google-genai": ["recorded/google", "requests/response/vertex-gemini"],
};
/** What is no answer of the protocol: errors, other operations, and one answer that was spliced into another. */
const others = /error|-429|transcription|count_tokens|spliced-/;

export const recordings: readonly Recording[] = (Object.keys(folders) as ProtocolId[]).flatMap((vendor) =>
  folders[vendor].flatMap((folder) => [...wholes(vendor, folder), ...streams(vendor, folder)]),
);

function filesIn(folder: string, ending: string): string[] {
  return dataFiles(folder, ending).filter(
    (path) => !path.slice(folder.length + 1).includes("/") && !others.test(path.slice(folder.length)),
  );
}

function wholes(vendor: ProtocolId, folder: string): Recording[] {
  const paths = filesIn(folder, ".json").filter((path) => !isFrames(path));
  return paths.map((path) => ({
    vendor,
    name: path,
    events: null,
    answer: () => Promise.resolve(codecs[vendor].decodeAnswer(readData(path))),
  }));
}
function isFrames(path: string): boolean {
  return /\/stream[_.-]/.test(path);
}

function streams(vendor: ProtocolId, folder: string): Recording[] {
  const recorded = filesIn(folder, ".chunks.txt").flatMap((path) =>
    answersIn(vendor, readDataText(path).trim().split("\n")).map((lines, i) => streamOf(vendor, `${path} ${i + 1}`, framed(vendor, lines))),
  );
  const frames = filesIn(folder, ".json").filter(isFrames);
  return [...recorded, ...frames.map((path) => streamOf(vendor, path, readDataText(path)))];
}

function streamOf(vendor: ProtocolId, name: string, text: string): Recording {
  const events = () => codecs[vendor].decodeStream(stream(text));
  return { vendor, name, events, answer: () => fold(events()) };
}

/** A recording of several calls is several streams. */
function answersIn(vendor: ProtocolId, lines: readonly string[]): string[][] {
  const ends: Partial<Record<ProtocolId, RegExp>> = {
    "openai-responses": /"type":"response\.(?:completed|incomplete|failed)"/,
    "anthropic-messages": /"type":"message_stop"/,
  };
  const end = ends[vendor];
  const answers: string[][] = [[]];
  for (const line of lines.filter((given) => given.trim() !== "")) {
    answers.at(-1)?.push(line);
    if (end?.test(line) === true) answers.push([]);
  }
  return answers.filter((answer) => answer.length > 0);
}

function framed(vendor: ProtocolId, lines: readonly string[]): string {
  if (vendor === "openai-chat") return framesOf([...lines, "[DONE]"]);
  if (vendor === "google-genai") return framesOf(lines);
  return lines.map((line) => `event: ${(JSON.parse(line) as { type: string }).type}\ndata: ${line}\n\n`).join("");
}
