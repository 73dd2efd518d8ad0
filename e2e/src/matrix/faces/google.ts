import { ApiError, GoogleGenAI, type Content, type GenerateContentResponse, type Part } from "@google/genai";
import type { Ask, Face, Said, Turn } from "./face.js";

export function googleFace(o: { readonly url: string; readonly key: string }): Face {
  const client = new GoogleGenAI({ apiKey: o.key, httpOptions: { baseUrl: o.url } });
  return {
    name: "Google generateContent",
    sdk: "@google/genai",
    async ask(ask) {
      if (!ask.stream) return said([await client.models.generateContent(bodyOf(ask))]);
      const answers: GenerateContentResponse[] = [];
      for await (const answer of await client.models.generateContentStream(bodyOf(ask))) answers.push(answer);
      return said(answers);
    },
    errorClass: () => ApiError,
  };
}

function bodyOf(ask: Ask) {
  const tools = ask.tools?.map(({ name, schema }) => ({ name, parametersJsonSchema: schema }));
  return {
    model: ask.model,
    contents: ask.turns.map(contentOf),
    config: {
      ...(ask.system === undefined ? {} : { systemInstruction: ask.system }),
      ...(tools === undefined ? {} : { tools: [{ functionDeclarations: tools }] }),
      ...(ask.schema === undefined ? {} : { responseMimeType: "application/json", responseJsonSchema: ask.schema }),
      thinkingConfig: { includeThoughts: true },
    },
  };
}

function contentOf(turn: Turn): Content {
  switch (turn.role) {
    case "assistant":
      return turn.raw as Content;
    case "tool":
      return {
        role: "user",
        parts: turn.results.map(({ id, name, text }) => ({ functionResponse: { id, name, response: { output: text } } })),
      };
    case "user": {
      const image: Part[] = turn.imageBase64 === undefined ? [] : [{ inlineData: { mimeType: "image/png", data: turn.imageBase64 } }];
      return { role: "user", parts: [{ text: turn.text }, ...image] };
    }
  }
}

function said(answers: readonly GenerateContentResponse[]): Said {
  const parts = answers.flatMap((answer) => answer.candidates?.[0]?.content?.parts ?? []);
  const text = (thought: boolean) => parts.map((part) => ((part.thought === true) === thought ? (part.text ?? "") : "")).join("");
  const calls = parts.flatMap(({ functionCall: call }) =>
    call === undefined ? [] : [{ id: call.id ?? "", name: call.name ?? "", args: call.args as unknown }],
  );
  const last = answers.at(-1);
  const reason = answers.map((answer) => answer.candidates?.[0]?.finishReason).findLast((given) => given !== undefined);
  const finishes: Record<string, string> = { STOP: "stop", MAX_TOKENS: "length" };
  const usage = last?.usageMetadata;
  return {
    text: text(false),
    reasoning: text(true),
    calls,
    finish: calls.length > 0 ? "tools" : (finishes[reason ?? ""] ?? String(reason)),
    usage:
      usage === undefined
        ? null
        : { input: usage.promptTokenCount ?? 0, output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0) },
    raw: { role: "model", parts },
  };
}
