import { Gateway } from "@sallyport/core";
import { houseServer } from "./house-server.js";

/** Everything that the gateway has to know of a vendor is said in the configuration: nothing of this is code. */
export async function vendorByConfiguration() {
  const house = await houseServer();
  const gateway = new Gateway({
    providers: {
      house: {
        vendor: "openai-compatible",
        baseUrl: house.baseUrl,
        apiKey: "house-key",
        auth: { header: "x-house-key" },
        headers: { "x-team": "kitchen" },
        quirks: { developerRole: false, maxTokensField: "max_tokens" },
        models: [{ id: "butler", features: ["chat", "tools"], contextTokens: 32_000, prices: { input: "0.20", output: "1" } }],
      },
    },
    mcpServers: {},
    auth: () => ({ kind: "user", id: "me", name: "me", projects: ["default"], grants: ["*"] }),
  });
  try {
    const response = await gateway.fetch(
      new Request("http://localhost/v1/chat/completions", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          model: "house/butler",
          messages: [
            { role: "developer", content: "Be brief." },
            { role: "user", content: "Are you there?" },
          ],
          max_completion_tokens: 50,
        }),
      }),
    );
    const completion = (await response.json()) as { choices: [{ message: { content: string } }] };
    return { text: completion.choices[0].message.content, costUsd: response.headers.get("x-sallyport-cost-usd"), seen: house.seen };
  } finally {
    await gateway.close();
    await house.close();
  }
}
