import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import OpenAI, { toFile } from "openai";

const OWNER_KEY = "an-owner-key-of-your-own-3f9a1c77e2b84d56";

export interface Pictures {
  /** PNG, each of them. */
  readonly inCode: Uint8Array;
  readonly throughSdk: Uint8Array;
  readonly changed: Uint8Array;
}

/** One model of pictures, asked in code, through OpenAI's SDK, and with a picture to change. */
export async function image(): Promise<Pictures> {
  const gateway = new Gateway({ ownerKey: OWNER_KEY, mcpServers: {} });
  const server = await serve(gateway, { port: 0 });
  try {
    const { images } = await gateway.models.get("demo/image").image({ prompt: "a red sail", format: "png" });

    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: OWNER_KEY });
    const made = await openai.images.generate({ model: "demo/image", prompt: "a red sail" });
    const picture = bytesOf(made.data?.[0]?.b64_json);
    const changed = await openai.images.edit({
      model: "demo/image",
      prompt: "the same at night",
      image: await toFile(picture, "sail.png", { type: "image/png" }),
    });
    const { source } = images[0]!;
    return {
      inCode: bytesOf(source.kind === "base64" ? source.data : undefined),
      throughSdk: picture,
      changed: bytesOf(changed.data?.[0]?.b64_json),
    };
  } finally {
    await server.close();
    await gateway.close();
  }
}

/** Some vendors answer with an address instead of bytes; the demo gives bytes. */
function bytesOf(base64: string | undefined): Uint8Array {
  if (base64 === undefined) throw new Error("The picture came as an address.");
  return Buffer.from(base64, "base64");
}
