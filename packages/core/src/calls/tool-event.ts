import type { JsonObject } from "./json.js";

/** A tool as the gateway offers it, with everything its server said of it, unknown fields included. */
export interface ToolDefinition {
  /** `server__tool`. */
  readonly name: string;
  readonly server: string;
  readonly tool: string;
  readonly title?: string | undefined;
  readonly description?: string | undefined;
  readonly inputSchema: JsonObject;
  /** The definition exactly as the server sent it. */
  readonly raw: JsonObject;
}

/** The result of a tool call: the raw `CallToolResult` of MCP, unknown fields included. */
export interface ToolResult {
  readonly isError: boolean;
  readonly raw: JsonObject;
}

/** The neutral stream of one tool call: any number of progress notes, then one result. A call that fails throws instead. */
export type ToolEvent =
  | { readonly type: "progress"; readonly progress: number; readonly total?: number | undefined; readonly message?: string | undefined }
  | { readonly type: "result"; readonly result: ToolResult };

/** The text of a result's text blocks, joined by newlines: what a model without richer content is told. */
export function toolResultText(result: ToolResult): string {
  const content = result.raw["content"];
  if (!Array.isArray(content)) return result.raw["structuredContent"] === undefined ? "" : JSON.stringify(result.raw["structuredContent"]);
  const lines: string[] = [];
  for (const block of content) {
    if (typeof block === "object" && block !== null && !Array.isArray(block) && (block as JsonObject)["type"] === "text")
      lines.push(String((block as JsonObject)["text"]));
    else lines.push(JSON.stringify(block));
  }
  return lines.join("\n");
}
