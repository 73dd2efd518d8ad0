import type { FinishReason, LiveAnswer, ModelCall, ModelEvent, ToolDefinition, Usage } from "../src/calls/index.js";
import { configSchema, type Config } from "../src/config/schema.js";
import { GatewayError } from "../src/errors/index.js";
import {
  createSeams,
  EventHub,
  type CallOptions,
  type ModelCaller,
  type Services,
  type ToolCall,
  type ToolCaller,
} from "../src/seams/index.js";
import { SessionDomain } from "../src/sessions/index.js";
import { Log } from "../src/util/log.js";
import { untilAborted } from "../src/util/until-aborted.js";
import { RunEngine, type RunEngineOptions } from "../src/agents/run-engine.js";

// For the tests of runs: seams filled with scripts, as routing and mcp fill them in a gateway.

/** Text, reasoning, a tool call, a pause, a failure, or a finish reason other than the usual one. */
export type Said =
  | string
  | { readonly think: string }
  | { readonly tool: string; readonly args?: string; readonly id?: string; readonly cutOff?: true }
  | { readonly wait: Promise<unknown> }
  | { readonly fail: GatewayError }
  | { readonly finish: FinishReason }
  | { readonly usage: Usage };

export interface ScriptedModels extends ModelCaller {
  readonly calls: { readonly call: ModelCall; readonly options: CallOptions }[];
  /** How each answer was said to have ended. */
  readonly ends: string[];
}

/** Answers the nth call with the nth turn, or with what the function says to it. */
export function scriptedModels(turns: readonly (readonly Said[])[] | ((call: ModelCall, n: number) => readonly Said[])): ScriptedModels {
  const calls: ScriptedModels["calls"] = [];
  const ends: string[] = [];
  const call = (asked: ModelCall, options: CallOptions): Promise<LiveAnswer<ModelEvent>> => {
    calls.push({ call: asked, options });
    const n = calls.length;
    const turn = typeof turns === "function" ? turns(asked, n) : turns[n - 1];
    if (turn === undefined) return Promise.reject(new GatewayError("internal", `The script has no turn ${n}.`));
    const first = turn[0];
    if (typeof first === "object" && "fail" in first) return Promise.reject(first.fail);
    return Promise.resolve({
      status: 200,
      headers: [],
      body: { kind: "events", events: say(turn, { asked, options }) },
      done: (how) => void ends.push(how),
    });
  };
  const none = () => Promise.reject(new GatewayError("internal", "Runs call models in neutral shape."));
  return { call, calls, ends, relay: none, operate: none, list: () => [], find: () => null };
}

async function* say(turn: readonly Said[], o: { readonly asked: ModelCall; readonly options: CallOptions }): AsyncGenerator<ModelEvent> {
  const { signal } = o.options;
  yield { type: "start", id: "answer", model: o.asked.model, createdAtMs: 0 };
  let block = 0;
  let reason: FinishReason = "stop";
  let usage: Usage = { inputTokens: 10, outputTokens: turn.length };
  for (const said of turn) {
    if (signal.aborted) throw new GatewayError("cancelled", "The call was cancelled.");
    const at = { index: 0, block };
    if (typeof said === "string") {
      yield { type: "text-start", ...at };
      yield { type: "text-delta", ...at, text: said };
      yield { type: "text-end", ...at };
    } else if ("think" in said) {
      yield { type: "reasoning-start", ...at };
      yield { type: "reasoning-delta", ...at, text: said.think };
      yield { type: "reasoning-end", ...at, opaque: "sealed" };
    } else if ("tool" in said) {
      reason = "tool-calls";
      yield { type: "tool-call-start", ...at, id: said.id ?? `call_${block}`, name: said.tool };
      yield { type: "tool-call-delta", ...at, text: said.args ?? "{}" };
      if (said.cutOff !== true) yield { type: "tool-call-end", ...at };
    } else if ("wait" in said) {
      await untilAborted(said.wait, signal);
    } else if ("fail" in said) throw said.fail;
    else if ("usage" in said) usage = said.usage;
    else reason = said.finish;
    block++;
  }
  yield { type: "usage", usage };
  yield { type: "finish", index: 0, reason };
}

export type ScriptedTool = (args: unknown, o: { readonly call: ToolCall; readonly options: CallOptions }) => unknown;

/** Tools by name; what one returns is its text, what it throws is thrown. */
export function scriptedTools(tools: Readonly<Record<string, ScriptedTool>>): ToolCaller & { readonly calls: ToolCall[] } {
  const calls: ToolCall[] = [];
  const definitions: ToolDefinition[] = Object.keys(tools).map((name) => {
    const [server = "", tool = ""] = name.split("__");
    const inputSchema = { type: "object" };
    return { name, server, tool, description: `does ${tool}`, inputSchema, raw: { name: tool, inputSchema } };
  });
  return {
    calls,
    assertSignedIn: () => Promise.resolve(),
    list: () => Promise.resolve(definitions),
    status: () => ({ servers: 1, connected: 1, tools: definitions.length }),
    async call(call, options) {
      calls.push(call);
      const tool = tools[call.name];
      if (tool === undefined) throw new GatewayError("tool_not_found", "There is no such tool.");
      const text = await tool(JSON.parse(call.arguments), { call, options });
      return { isError: false, raw: { content: [{ type: "text", text: String(text) }] } };
    },
  };
}

/** What processes share, and what each has its own of. */
export type Shared = Pick<Services, "store" | "clock" | "wakeup" | "bus" | "cache" | "counters" | "crypto" | "redactor">;
export interface ProcessOptions extends Omit<RunEngineOptions, "eventView"> {
  readonly models: ModelCaller;
  readonly tools?: ToolCaller;
  readonly nodeId?: string;
  readonly sessions?: Partial<Config["sessions"]>;
}
export interface Process {
  readonly engine: RunEngine;
  readonly lines: string[];
  readonly changes: string[];
  readonly errors: unknown[];
  readonly domain: SessionDomain;
}

/** One process's engine on what the processes share. */
export function processOn(on: Shared, o: ProcessOptions): Process {
  const { models, tools = scriptedTools({}), nodeId = "node_1", sessions = {}, ...options } = o;
  const lines: string[] = [];
  const changes: string[] = [];
  const errors: unknown[] = [];
  const seams = createSeams();
  seams.models.fill(models);
  seams.tools.fill(tools);
  const events = new EventHub();
  events.on("run.changed", (e) => changes.push(e.status));
  events.on("internal.error", (e) => errors.push(e.error));
  const log = new Log("debug", (level, message) => lines.push(`${level} ${message}`));
  const services: Services = { ...on, events, log, seams, nodeId };
  const config: Config["sessions"] = { ...configSchema.parse({}).sessions, ...sessions };
  const domain = new SessionDomain(services, {
    config: () => config,
    secret: () => new Uint8Array(32).fill(7),
    ready: () => Promise.resolve(),
  });
  seams.conversations.fill(domain.turns);
  return { engine: new RunEngine(services, { eventView: (event) => event, ...options }), lines, changes, errors, domain };
}

/** All that the source has until it ends. */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of source) all.push(item);
  return all;
}
