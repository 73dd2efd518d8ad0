import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { z } from "zod";
import { reader } from "./reader.js";

const OWNER_KEY = "an-owner-key-of-your-own-3f9a1c77e2b84d56";

export const Person = z.object({ name: z.string().min(1), age: z.int().min(1) });

/**
 * Asks for a person in the form of `Person`. OpenAI's SDK sends the schema and reads the answer with it; a model of any vendor is told it in its own protocol.
 * Throws when the answer is not one.
 */
export async function structuredOutput(text: string): Promise<z.output<typeof Person>> {
  const gateway = new Gateway({ ownerKey: OWNER_KEY, mcpServers: {} });
  gateway.providers.add(reader);
  const server = await serve(gateway, { port: 0 });
  try {
    const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: OWNER_KEY });
    const completion = await openai.chat.completions.parse({
      model: "house/reader",
      messages: [{ role: "user", content: text }],
      response_format: zodResponseFormat(Person, "person"),
    });
    const person = completion.choices[0]?.message.parsed;
    if (!person) throw new Error("There was no answer.");
    return person;
  } finally {
    await server.close();
    await gateway.close();
  }
}
