import Anthropic from "@anthropic-ai/sdk";
import { GoogleGenAI } from "@google/genai";
import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import OpenAI from "openai";
import { chatServer } from "./chat-server.js";

const OWNER_KEY = "an-owner-key-of-your-own-3f9a1c77e2b84d56";
const MODEL = "harbour/pilot";
const QUESTION = "Do you hear me?";

export interface Heard {
  readonly openai: string | null | undefined;
  readonly google: string | undefined;
  readonly anthropic: string;
  /** The paths that the server was asked at. */
  readonly paths: readonly string[];
}

/** Each SDK is told the gateway's address and key, and nothing else is changed. */
export async function anyFace(): Promise<Heard> {
  const chat = await chatServer();
  const gateway = new Gateway({
    ownerKey: OWNER_KEY,
    providers: { harbour: { vendor: "openai-compatible", baseUrl: chat.baseUrl } },
    mcpServers: {},
  });
  const { url, close } = await serve(gateway, { port: 0 });
  try {
    const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: OWNER_KEY });
    const completion = await openai.chat.completions.create({ model: MODEL, messages: [{ role: "user", content: QUESTION }] });

    const google = new GoogleGenAI({ apiKey: OWNER_KEY, httpOptions: { baseUrl: url } });
    const content = await google.models.generateContent({ model: MODEL, contents: QUESTION });

    const anthropic = new Anthropic({ baseURL: url, apiKey: OWNER_KEY });
    return {
      openai: completion.choices[0]?.message.content,
      google: content.text,
      anthropic: await tideOf(anthropic),
      paths: chat.paths,
    };
  } finally {
    await close();
    await gateway.close();
    await chat.close();
  }
}

/** Two turns with a tool, in Anthropic's dialect. */
async function tideOf(client: Anthropic): Promise<string> {
  const tools: Anthropic.Tool[] = [
    { name: "tide", description: "The tide in a harbour", input_schema: { type: "object", properties: { harbour: { type: "string" } } } },
  ];
  const messages: Anthropic.MessageParam[] = [{ role: "user", content: "How is the tide?" }];
  const first = await client.messages.create({ model: MODEL, max_tokens: 100, tools, messages });
  const call = first.content.find((block) => block.type === "tool_use");
  if (call === undefined) throw new Error("No tool was called.");
  const { harbour } = call.input as { readonly harbour: string };
  messages.push({ role: "assistant", content: first.content });
  messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: `high in ${harbour}` }] });
  const second = await client.messages.create({ model: MODEL, max_tokens: 100, tools, messages });
  return second.content.map((block) => (block.type === "text" ? block.text : "")).join("");
}
