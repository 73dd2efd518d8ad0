// The gateway on its fast host, with every policy step that exists; STORE is memory: or sqlite:<file>.
import { Gateway } from "@sallyport/core";
import { serve } from "@sallyport/core/node";

const upstream = `http://127.0.0.1:${process.env.UPSTREAM}`;
const command = process.env.MCP_COMMAND;
const gateway = new Gateway({
  ownerKey: process.env.OWNER_KEY,
  storage: { url: process.env.STORE ?? "memory:" },
  logging: { level: "error" },
  providers: {
    mock: { vendor: "openai-compatible", baseUrl: `${upstream}/v1`, apiKey: "sk-mock" },
    claude: { vendor: "anthropic", baseUrl: upstream, apiKey: "sk-mock" },
  },
  mcpServers: { mock: command === undefined ? { type: "http", url: `${upstream}/mcp` } : { command: process.execPath, args: [command] } },
});
const server = await serve(gateway, { port: 0, host: "127.0.0.1", signals: true });
console.log(JSON.stringify({ port: Number(new URL(server.url).port) }));
