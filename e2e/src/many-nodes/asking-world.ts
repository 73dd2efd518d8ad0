import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { sessionHost } from "../session-host.js";

const question = {
  method: "elicitation/create" as const,
  params: { mode: "form" as const, message: "Your name?", requestedSchema: { type: "object" as const, properties: {} } },
};

/** An MCP server up to 2025-11-25 whose tools ask in the middle of their work: `ask` ends with the answer, `linger` goes on for as long as anybody waits. */
export async function askingWorld() {
  const begun: string[] = [];
  const make = (): McpServer => {
    const mcp = new McpServer({ name: "asking", version: "1" }, { capabilities: { tools: {} } });
    mcp.registerTool("ask", {}, async (extra) => {
      begun.push("ask");
      const { action } = await extra.sendRequest(question, ElicitResultSchema);
      return { content: [{ type: "text", text: action }] };
    });
    mcp.registerTool("linger", {}, async (extra) => {
      await extra.sendRequest(question, ElicitResultSchema);
      begun.push("linger");
      return new Promise(() => undefined);
    });
    return mcp;
  };
  return { begun, ...(await sessionHost(make)) };
}
