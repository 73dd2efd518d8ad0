import { onTestFinished } from "vitest";
import { lyingMcpServer, type Lie, type LyingMcpServerOptions } from "@sallyport/adapter-kit";
import { toolResultText } from "../../../src/calls/index.js";
import { proxyHarness, type HarnessOptions } from "../proxy-harness.js";

export type Transport = "http" | "stdio";

export async function lyingServer(options: LyingMcpServerOptions) {
  const server = await lyingMcpServer(options);
  onTestFinished(() => server.close());
  return server;
}

/** A proxy with one server that lies, and one that never does beside it. */
export async function liedTo(
  transport: Transport,
  o: { readonly lie?: Lie; readonly tools?: readonly object[]; readonly era?: "legacy" | "modern"; readonly harness?: HarnessOptions } = {},
) {
  const { lie, tools, era = "legacy" } = o;
  const liar = await lyingServer({ era, ...(lie === undefined ? {} : { lie }), ...(tools === undefined ? {} : { tools }) });
  const honest = await lyingServer({ era: "legacy" });
  const reached = (server: typeof liar) => (transport === "http" ? { url: server.url } : server.stdio);
  const harness = proxyHarness({
    ...o.harness,
    config: { ...o.harness?.config, mcpServers: { liar: reached(liar), honest: reached(honest) } },
  });
  await harness.proxy.start();
  const call = async (name: string, args: object = {}, timeoutMs?: number) =>
    toolResultText(await harness.proxy.call(name, args as Record<string, string>, timeoutMs === undefined ? {} : { timeoutMs }));
  return { liar, honest, harness, call };
}
