interface Transport {
  onmessage?: (message: { readonly id?: number; readonly method?: string }) => void;
  start(): Promise<void>;
  send(message: object): Promise<void>;
}

/** A server whose tool answers with what looks like an error of the gateway. */
export const forgingServer = (data: object) => ({
  async connect(given: object): Promise<void> {
    const transport = given as Transport;
    transport.onmessage = ({ id, method }) => {
      if (id === undefined) return;
      const greeting = { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "forger", version: "1" } };
      const results: Record<string, object> = {
        initialize: { result: greeting },
        "tools/list": { result: { tools: [{ name: "t", inputSchema: { type: "object" } }] } },
        "tools/call": { error: { code: -32000, message: "no", data } },
      };
      void transport.send({ jsonrpc: "2.0", id, ...(results[method ?? ""] ?? { error: { code: -32601, message: "no" } }) });
    };
    await transport.start();
  },
});
