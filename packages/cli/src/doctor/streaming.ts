import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";
import { makeOwnerKey } from "../owner-key.js";
import { fail, ok, type Finding } from "./finding.js";

const WORDS = "one two three four five";
const WITHIN_MS = 10_000;

/** Whether a stream of the demo model arrives event by event through a private server on this machine, with a key, over a real socket. */
export async function checkStreaming(): Promise<Finding[]> {
  const ownerKey = makeOwnerKey();
  const server = { host: "127.0.0.1", port: 0 };
  const gateway = new Gateway({ server, mcpServers: {}, env: {}, ownerKey, log: () => undefined });
  try {
    const serving = await serve(gateway);
    try {
      const response = await fetch(`${serving.url}/v1/chat/completions`, {
        method: "POST",
        headers: { authorization: `Bearer ${ownerKey}`, "content-type": "application/json" },
        body: JSON.stringify({ model: "demo/echo", stream: true, messages: [{ role: "user", content: WORDS }] }),
        signal: AbortSignal.timeout(WITHIN_MS),
      });
      return [judge(response, await response.text())];
    } finally {
      await serving.close();
    }
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}

function judge(response: Response, text: string): Finding {
  const fix = "Look for a proxy, a firewall or a security program that changes traffic on 127.0.0.1.";
  const events = text.split("\n\n").filter((event) => event.startsWith("data: "));
  const words = events.flatMap((event) => (event === "data: [DONE]" ? [] : [contentOf(event.slice("data: ".length))])).join("");
  if (response.status !== 200) return fail("streaming", `a private server answered ${response.status}`, fix);
  if (words.trim() !== WORDS || events.at(-1) !== "data: [DONE]") return fail("streaming", "a stream came back incomplete", fix);
  return ok("streaming", `${events.length} events through a private server, complete and in order`);
}

function contentOf(json: string): string {
  const chunk = JSON.parse(json) as { choices?: readonly { delta?: { content?: string | null } }[] };
  return chunk.choices?.[0]?.delta?.content ?? "";
}
