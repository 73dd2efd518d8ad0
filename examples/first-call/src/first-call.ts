import { Gateway, type RunResult } from "@sallyport/core";

/**
 * Asks a model that may use tools, prints each event, and gives the result. `demo/scripted` and the demo server's calculator are always there, without key and network;
 * with a vendor's key in the environment, `model: "openai/…"` works the same.
 */
export async function firstCall(print: (line: string) => void): Promise<RunResult> {
  const gateway = new Gateway();
  try {
    const run = gateway.run({ model: "demo/scripted", input: 'call demo__calculator {"expression": "6*7"}', tools: ["demo__*"] });
    for await (const event of run) print(event.type);
    return await run;
  } finally {
    await gateway.close();
  }
}
