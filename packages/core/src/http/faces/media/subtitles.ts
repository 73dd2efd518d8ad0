import type { TranscribeAnswer } from "../../../calls/index.js";
import { unsupported } from "../../../wire/shared/fields.js";

/**
 * A transcript with times, as subtitles: SubRip or WebVTT (https://www.w3.org/TR/webvtt1/). Without segments the whole text is one, if it is known how long it takes.
 * Errors: `unsupported_feature` when no times are known.
 */
export function subtitles(answer: Pick<TranscribeAnswer, "text" | "segments" | "seconds">, format: "srt" | "vtt"): string {
  const { segments, seconds, text } = answer;
  const cues = segments ?? (seconds === undefined ? null : [{ start: 0, end: seconds, text }]);
  if (cues === null) throw unsupported("response_format", `cannot be "${format}": this model does not say when what was said`);
  const mark = format === "srt" ? "," : ".";
  const blocks = cues.map(({ start, end, text: said }, at) => {
    const times = `${clock(start, mark)} --> ${clock(end, mark)}`;
    // An empty line ends a cue, and an arrow begins one.
    const words = said
      .trim()
      .replace(/\n{2,}/g, "\n")
      .replaceAll("-->", "->");
    return format === "srt" ? `${at + 1}\n${times}\n${words}\n` : `${times}\n${words}\n`;
  });
  return (format === "vtt" ? "WEBVTT\n\n" : "") + blocks.join("\n");
}

function clock(seconds: number, mark: string): string {
  const ms = Math.max(0, Math.round(seconds * 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const whole = Math.floor(ms / 1000);
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}${mark}${String(ms % 1000).padStart(3, "0")}`;
}
