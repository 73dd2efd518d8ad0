import { Gateway } from "@sallyport/core";
import { localVendor } from "./local-vendor.js";

/**
 * Two keys, one of which the vendor no longer knows. Every call is answered: the refused key is set aside for a while, and the other one tried. Gives the statuses that the
 * caller saw, and the keys that the vendor saw.
 */
export async function keyPool(calls: number): Promise<{ readonly statuses: readonly number[]; readonly keys: readonly string[] }> {
  const vendor = await localVendor("key-that-works");
  const gateway = new Gateway({
    providers: {
      local: {
        vendor: "openai-compatible",
        baseUrl: vendor.baseUrl,
        apiKeys: [{ value: "key-that-was-revoked", weight: 3 }, { value: "key-that-works" }],
      },
    },
    mcpServers: {},
    auth: () => ({ kind: "user", id: "me", name: "me", projects: ["default"], grants: ["*"] }),
    log: () => undefined,
  });
  try {
    const statuses: number[] = [];
    for (let call = 0; call < calls; call++) {
      const response = await gateway.fetch(
        new Request("http://localhost/v1/chat/completions", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ model: "local/small", messages: [{ role: "user", content: `Question ${call}` }] }),
        }),
      );
      await response.text();
      statuses.push(response.status);
    }
    return { statuses, keys: vendor.keys };
  } finally {
    await gateway.close();
    await vendor.close();
  }
}
