import { Gateway } from "../gateway.js";
import type { GatewayOptions } from "../gateway-options.js";
import type { InProcess } from "../providers/index.js";

export interface TestGatewayOptions extends GatewayOptions {
  /** Answers as `test/script`: a script, or anything of its shape. */
  readonly model?: InProcess;
}

/** What callers over HTTP present to a test gateway. */
export const TEST_OWNER_KEY = "sallyport-testing-owner-7b1f93c2e08d4a65";

/**
 * A started gateway for tests: in memory, silent, without network or environment; the demo model and the demo MCP server are there. Close it when the test is over.
 */
export async function createTestGateway(options: TestGatewayOptions = {}): Promise<Gateway> {
  const { model, ...rest } = options;
  // A configuration that was loaded says its own level.
  const logging = rest.config === undefined ? { logging: { level: "silent" as const, ...rest.logging } } : {};
  const gateway = new Gateway({ env: {}, ownerKey: TEST_OWNER_KEY, ...rest, ...logging });
  if (model !== undefined) gateway.providers.add({ name: "test", models: ["script"], answer: model });
  await gateway.start();
  return gateway;
}
