import { Gateway } from "@sallyport/core";
import { clerk } from "./clerk.js";

export interface Reckoned {
  /** What a run with tools came to, and the tokens of its two model calls. */
  readonly text: string;
  readonly inputTokens: number | undefined;
  /** What a plain call of the same model is answered. */
  readonly plain: string;
  readonly vectors: readonly (readonly number[])[];
}

/** Adds the provider, and asks its models like any other: in a run with the tools of an MCP server, plainly, and for vectors. */
export async function providerInCode(): Promise<Reckoned> {
  const gateway = new Gateway();
  gateway.providers.add(clerk);
  try {
    const { text, usage } = await gateway.run({ model: "house/clerk", input: "6*7", tools: ["demo__*"] });
    const plain = await gateway.models.get("house/clerk").generate("6*7");
    const { vectors } = await gateway.models.get("house/card-index").embed(["one card", "another card here"]);
    return { text, inputTokens: usage.inputTokens, plain: plain.text, vectors };
  } finally {
    await gateway.close();
  }
}
