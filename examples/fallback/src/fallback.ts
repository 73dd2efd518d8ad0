import { Gateway } from "@sallyport/core";

export interface Answered {
  readonly text: string;
  /** The model that answered, after how many attempts. */
  readonly model: string;
  readonly attempts: number;
}

/**
 * A route with two targets: a vendor at an address where nobody listens, and the demo model behind it. The caller names the route and gets one clean answer; its headers say
 * who gave it.
 */
export async function fallback(): Promise<Answered> {
  const gateway = new Gateway({
    providers: { down: { vendor: "openai-compatible", baseUrl: "http://127.0.0.1:9/v1" } },
    routes: { chat: { strategy: "fallback", targets: [{ model: "down/some-model" }, { model: "demo/echo" }] } },
    mcpServers: {},
    auth: () => ({ kind: "user", id: "me", name: "me", projects: ["default"], grants: ["*"] }),
    log: () => undefined,
  });
  try {
    const response = await gateway.fetch(
      new Request("http://localhost/v1/chat/completions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ model: "route/chat", messages: [{ role: "user", content: "Still here?" }] }),
      }),
    );
    const completion = (await response.json()) as { choices: [{ message: { content: string } }] };
    return {
      text: completion.choices[0].message.content,
      model: response.headers.get("x-sallyport-model") ?? "",
      attempts: Number(response.headers.get("x-sallyport-attempts")),
    };
  } finally {
    await gateway.close();
  }
}
