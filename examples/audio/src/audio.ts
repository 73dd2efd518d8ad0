import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import OpenAI, { toFile } from "openai";

const OWNER_KEY = "an-owner-key-of-your-own-3f9a1c77e2b84d56";

export interface Spoken {
  /** WAV. */
  readonly sound: Uint8Array;
  /** What was heard through the SDK, and in code. */
  readonly heard: string;
  readonly heardInCode: string;
}

/** Speaks a text and listens to it again, through OpenAI's SDK; and listens once more in code. */
export async function audio(text: string): Promise<Spoken> {
  const gateway = new Gateway({ ownerKey: OWNER_KEY, mcpServers: {} });
  const server = await serve(gateway, { port: 0 });
  try {
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: OWNER_KEY });
    const speech = await openai.audio.speech.create({ model: "demo/speech", voice: "alloy", input: text, response_format: "wav" });
    const sound = new Uint8Array(await speech.arrayBuffer());
    const transcript = await openai.audio.transcriptions.create({
      model: "demo/transcribe",
      file: await toFile(sound, "speech.wav", { type: "audio/wav" }),
    });
    const again = await gateway.models.get("demo/transcribe").transcribe({ mediaType: "audio/wav", bytes: sound });
    return { sound, heard: transcript.text, heardInCode: again.text };
  } finally {
    await server.close();
    await gateway.close();
  }
}
