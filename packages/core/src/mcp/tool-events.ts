import type { Answer, ToolEvent, ToolHead } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { LiveCall } from "../policy/live-call.js";
import type { Catalogue } from "./catalogue/catalogue.js";
import { META } from "./frames/protocol.js";
import { ownRequest } from "./lanes/own-request.js";
import { mirror } from "./lanes/param-headers.js";
import { exchangeTool, progressEvent, toolEvent, traceOf } from "./tool-exchange.js";

export interface ToolEventsOptions {
  readonly catalogue: Catalogue;
  readonly call: LiveCall<ToolHead>;
  /** JSON text of an object. */
  readonly arguments: string;
  readonly progress: boolean;
  readonly idempotencyKey?: string | undefined;
}

/** The arguments as the steps left them. */
export function argumentsOf(call: LiveCall<ToolHead>): string {
  const content = call.content();
  if (content.kind !== "tool") throw new GatewayError("internal", "A tool call has no tool call's content.");
  return content.arguments;
}

/** A tool call as neutral events. Errors before the first event are thrown here, those after it by the iteration. */
export async function toolEvents(o: ToolEventsOptions): Promise<Answer<ToolEvent>> {
  const queue: ToolEvent[] = [];
  let failure: GatewayError | undefined;
  let ended = false;
  let wake = (): void => undefined;
  let first: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => (first = resolve));
  const push = (event: ToolEvent) => {
    queue.push(event);
    first();
    wake();
  };
  const work = run(o, push).catch((error: unknown) => (failure = GatewayError.from(error)));
  void work.then(() => {
    ended = true;
    first();
    wake();
  });
  await begun;
  if (failure !== undefined && queue.length === 0) throw failure;
  return { status: 200, headers: [], body: { kind: "events", events: events() } };

  async function* events(): AsyncGenerator<ToolEvent> {
    for (;;) {
      const event = queue.shift();
      if (event !== undefined) yield event;
      else if (failure !== undefined) throw failure;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
}

async function run(o: ToolEventsOptions, push: (event: ToolEvent) => void): Promise<void> {
  const meta = o.idempotencyKey === undefined ? {} : { meta: `"${META.idempotencyKey}":${JSON.stringify(o.idempotencyKey)}` };
  const trace = traceOf(o.call);
  const { reply } = await exchangeTool({
    catalogue: o.catalogue,
    call: o.call,
    onNotice: (notice) => {
      const event = progressEvent(notice);
      if (event !== null) push(event);
    },
    build: (connection, tool) =>
      ownRequest(connection, {
        method: "tools/call",
        params: `"name":${JSON.stringify(o.call.head.tool)},"arguments":${o.arguments}`,
        subject: o.call.head.tool,
        headers: tool.paramHeaders.length === 0 ? [] : mirror(tool.paramHeaders, JSON.parse(o.arguments)),
        progress: o.progress,
        trace,
        ...meta,
      }),
  });
  if (reply.error !== null) o.call.failed("tool_failed");
  push(toolEvent(reply));
}
