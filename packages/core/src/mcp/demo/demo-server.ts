import type { Json, JsonObject } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock, McpFrame, McpWire } from "../../ports/index.js";
import { textAt } from "../frames/json-scan.js";
import { idText, member, readMessage, requestPlan, stringMember, type RpcMessage } from "../frames/message.js";
import { MODERN_VERSION, RPC } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import type { Agreement } from "../lanes/handshake.js";
import { calculate } from "./calculator.js";

interface DemoTool {
  readonly definition: JsonObject;
  run(args: JsonObject, clock: Clock): JsonObject;
}

const readOnly = { readOnlyHint: true, openWorldHint: false };

const tools: readonly DemoTool[] = [
  {
    definition: {
      name: "time",
      title: "Time",
      description: "The current date and time, in UTC or in an IANA time zone.",
      inputSchema: {
        type: "object",
        properties: { timeZone: { type: "string", description: "an IANA time zone such as Europe/Paris; UTC when left out" } },
        additionalProperties: false,
      },
      outputSchema: {
        type: "object",
        properties: { iso: { type: "string" }, local: { type: "string" }, timeZone: { type: "string" } },
        required: ["iso", "local", "timeZone"],
      },
      annotations: readOnly,
    },
    run(args, clock) {
      const timeZone = text(args, "timeZone", "UTC");
      const now = new Date(clock.now());
      try {
        const local = new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "long" }).format(now);
        return structured({ iso: now.toISOString(), local, timeZone }, local);
      } catch (cause) {
        throw new GatewayError("validation_failed", `"${timeZone.slice(0, 100)}" is not a time zone known here.`, { cause });
      }
    },
  },
  {
    definition: {
      name: "calculator",
      title: "Calculator",
      description:
        "Evaluates an arithmetic expression: + - * / % ^, parentheses, sqrt abs round floor ceil min max sin cos tan ln log10 exp, pi and e.",
      inputSchema: {
        type: "object",
        properties: { expression: { type: "string", description: "for example (2 + 3) * 4 ^ 2" } },
        required: ["expression"],
        additionalProperties: false,
      },
      outputSchema: { type: "object", properties: { value: { type: "number" } }, required: ["value"] },
      annotations: readOnly,
    },
    run(args) {
      const value = calculate(text(args, "expression"));
      return structured({ value }, String(value));
    },
  },
  {
    definition: {
      name: "echo",
      title: "Echo",
      description: "Gives back the text that it is given.",
      inputSchema: { type: "object", properties: { text: { type: "string" } }, required: ["text"], additionalProperties: false },
      annotations: readOnly,
    },
    run: (args) => ({ content: [{ type: "text", text: text(args, "text") }] }),
  },
];

/** What `initialize` would have said: nothing has to be asked of a server that ships with us. */
export const DEMO_AGREEMENT: Agreement = {
  era: "modern",
  version: MODERN_VERSION,
  capabilities: { tools: {} },
  serverInfo: { name: "sallyport-demo", version: "1" },
  instructions: null,
};

/** The server that is there when none is configured: three tools that need nothing, in this process, spoken to in frames like any other. */
export function openDemoServer(clock: Clock): McpWire {
  let onFrame: (frame: McpFrame) => void = () => undefined;
  let onClose: (why: Error | null) => void = () => undefined;
  let open = true;
  return {
    send: (frame) => {
      const answer = respond(readMessage(frame, requestPlan), clock);
      if (answer !== null)
        queueMicrotask(() => {
          if (open) onFrame(utf8(JSON.stringify(answer)));
        });
      return Promise.resolve();
    },
    onFrame: (handler) => void (onFrame = handler),
    onClose: (handler) => void (onClose = handler),
    close: () => {
      if (open) onClose(null);
      open = false;
      return Promise.resolve();
    },
  };
}

function respond(message: RpcMessage, clock: Clock): JsonObject | null {
  if (message.kind !== "request") return null;
  const id = JSON.parse(idText(message)) as Json;
  switch (message.method) {
    case "tools/list":
      return {
        jsonrpc: "2.0",
        id,
        result: { resultType: "complete", ttlMs: 0, cacheScope: "public", tools: tools.map((tool) => tool.definition) },
      };
    case "tools/call":
      return callTool(message, id, clock);
    default:
      return { jsonrpc: "2.0", id, error: { code: RPC.methodNotFound, message: "Method not found" } };
  }
}

function callTool(message: RpcMessage, id: Json, clock: Clock): JsonObject {
  const name = stringMember(message.bytes, message.params, "name");
  const tool = tools.find((candidate) => candidate.definition["name"] === name);
  if (tool === undefined) return { jsonrpc: "2.0", id, error: { code: RPC.invalidParams, message: "There is no such tool" } };
  const args = member(message.params, "arguments");
  try {
    const result = tool.run(args === null ? {} : (JSON.parse(textAt(message.bytes, args)) as JsonObject), clock);
    return { jsonrpc: "2.0", id, result: { resultType: "complete", ...result } };
  } catch (error) {
    const { message: why } = GatewayError.from(error);
    return { jsonrpc: "2.0", id, result: { resultType: "complete", isError: true, content: [{ type: "text", text: why }] } };
  }
}

function text(args: JsonObject, name: string, otherwise?: string): string {
  const value = args[name] ?? otherwise;
  if (typeof value !== "string") throw new GatewayError("validation_failed", `"${name}" has to be a string.`);
  return value;
}

function structured(value: JsonObject, shown: string): JsonObject {
  return { content: [{ type: "text", text: shown }], structuredContent: value };
}
