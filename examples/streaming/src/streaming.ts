import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import OpenAI from "openai";

const OWNER_KEY = "an-owner-key-of-your-own-3f9a1c77e2b84d56";

/** Starts the gateway on a free port and streams an answer through OpenAI's SDK. `demo/echo` is always there; with a vendor's key in the environment any model works the same. */
export async function streaming(print: (piece: string) => void): Promise<{ readonly pieces: number; readonly outputTokens: number }> {
  const gateway = new Gateway({ ownerKey: OWNER_KEY, mcpServers: {} });
  const server = await serve(gateway, { port: 0 });
  try {
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: OWNER_KEY });
    const stream = await openai.chat.completions.create({
      model: "demo/echo",
      messages: [{ role: "user", content: "Every word arrives by itself." }],
      stream: true,
      stream_options: { include_usage: true },
    });
    let pieces = 0;
    let outputTokens = 0;
    for await (const chunk of stream) {
      const piece = chunk.choices[0]?.delta.content ?? "";
      if (piece !== "") pieces++;
      print(piece);
      outputTokens = chunk.usage?.completion_tokens ?? outputTokens;
    }
    return { pieces, outputTokens };
  } finally {
    await server.close();
    await gateway.close();
  }
}
