import { describe, expect, it } from "vitest";
import { subtitles } from "./subtitles.js";

const segments = [
  { start: 0, end: 1.2345, text: " Hello there." },
  { start: 3661.5, end: 3662, text: "A --> B\n\n\nand on" },
];

describe("subtitles", () => {
  it("are SubRip, numbered", () => {
    expect(subtitles({ text: "", segments }, "srt")).toBe(
      "1\n00:00:00,000 --> 00:00:01,235\nHello there.\n\n2\n01:01:01,500 --> 01:01:02,000\nA -> B\nand on\n",
    );
  });

  it("are WebVTT, with a head", () => {
    expect(subtitles({ text: "", segments: segments.slice(0, 1) }, "vtt")).toBe("WEBVTT\n\n00:00:00.000 --> 00:00:01.235\nHello there.\n");
  });

  it("are one for the whole when only its length is known, and none when nothing is", () => {
    expect(subtitles({ text: "All of it", seconds: 2 }, "srt")).toBe("1\n00:00:00,000 --> 00:00:02,000\nAll of it\n");
    expect(() => subtitles({ text: "All of it" }, "srt")).toThrow(expect.objectContaining({ code: "unsupported_feature" }));
  });
});
