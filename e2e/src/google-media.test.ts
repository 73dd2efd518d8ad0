import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GoogleGenAI } from "@google/genai";
import { afterAll, expect, it } from "vitest";
import { OWNER_KEY, served } from "./served.js";

const folder = mkdtempSync(join(tmpdir(), "sallyport-google-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const { url } = await served();
const client = new GoogleGenAI({ apiKey: OWNER_KEY, httpOptions: { baseUrl: url, apiVersion: "v1beta" } });

it("112: the official Google SDK begins a film, asks after its operation, and downloads it", async () => {
  let operation = await client.models.generateVideos({ model: "demo/video", source: { prompt: "a boat" }, config: { durationSeconds: 4 } });
  expect(operation.name).toMatch(/^operations\/video_/);
  while (operation.done !== true) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    operation = await client.operations.getVideosOperation({ operation });
  }
  // The SDK finds a file's name in an https address alone; it asks at its own base URL.
  const uri = operation.response!.generatedVideos![0]!.video!.uri!.replace("http:", "https:");
  const downloadPath = join(folder, "film.avi");
  await client.files.download({ file: { uri }, downloadPath });
  // The SDK resolves before its file is written.
  while (readOrEmpty(downloadPath).length < 1000) await new Promise((resolve) => setTimeout(resolve, 50));
  expect(readOrEmpty(downloadPath).subarray(0, 4).toString()).toBe("RIFF");
});

function readOrEmpty(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
}
