import type { Answer, JsonObject, ToolEvent, ToolHead } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { LiveCall } from "../policy/live-call.js";
import type { Bridged, SendOptions } from "./bridge/bridged-call.js";
import type { Replied } from "./bridge/held-call.js";
import { NO_RETRY, retryMembers } from "./bridge/members.js";
import type { Catalogue } from "./catalogue/catalogue.js";
import type { RpcMessage } from "./frames/message.js";
import { META } from "./frames/protocol.js";
import { ownRequest } from "./lanes/own-request.js";
import { mirror } from "./lanes/param-headers.js";
import { exchangeTool, noteReply, progressEvent, toolEvent, traceOf, type ToolExchangeOptions } from "./tool-exchange.js";

export interface ToolEventsOptions {
  readonly catalogue: Catalogue;
  readonly call: LiveCall<ToolHead>;
  /** JSON text of an object. */
  readonly arguments: string;
  readonly progress: boolean;
  readonly idempotencyKey?: string | undefined;
  /** Who asks the caller for its server; left out: nobody does. */
  readonly bridge?:
    | ((send: (via: SendOptions) => Promise<Replied>, onNotice: (notice: RpcMessage) => void) => Promise<Bridged>)
    | undefined;
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
  const onNotice = (notice: RpcMessage): void => {
    const event = progressEvent(notice);
    if (event !== null) push(event);
  };
  if (o.bridge === undefined) return pushReply(o, push, { replied: await send(o, { onNotice }), state: null });
  const bridged = await o.bridge((via) => send(o, { via }), onNotice);
  if (bridged.kind === "input") {
    const raw = { resultType: "input_required", inputRequests: JSON.parse(bridged.requests) as JsonObject, requestState: bridged.state };
    return push({ type: "result", result: { isError: false, raw } });
  }
  if (bridged.kind === "task") throw new GatewayError("internal", "A call whose content is looked at became a task.");
  if (bridged.isLate) noteReply(o.call, bridged.replied.reply);
  pushReply(o, push, bridged);
}

function pushReply(
  o: ToolEventsOptions,
  push: (event: ToolEvent) => void,
  { replied, state }: { readonly replied: Replied; readonly state: string | null },
): void {
  if (replied.reply.error !== null) o.call.failed("tool_failed");
  push(toolEvent(replied.reply, state));
}

/** One attempt at the server. */
function send(o: ToolEventsOptions, how: Pick<ToolExchangeOptions, "onNotice"> & { readonly via?: SendOptions }): Promise<Replied> {
  const meta = o.idempotencyKey === undefined ? {} : { meta: `"${META.idempotencyKey}":${JSON.stringify(o.idempotencyKey)}` };
  const trace = traceOf(o.call);
  const { via } = how;
  const said = [`"name":${JSON.stringify(o.call.head.tool)}`, `"arguments":${o.arguments}`, ...retryMembers(via?.retry ?? NO_RETRY)];
  return exchangeTool({
    ...{ catalogue: o.catalogue, call: o.call, ...how },
    // What is heard of its progress, or carries a key of its own, is nobody else's.
    same: o.progress || o.idempotencyKey !== undefined || via !== undefined ? undefined : () => o.arguments,
    build: (connection, tool) =>
      ownRequest(connection, {
        method: "tools/call",
        params: said.join(","),
        subject: o.call.head.tool,
        headers: tool.paramHeaders.length === 0 ? [] : mirror(tool.paramHeaders, JSON.parse(o.arguments)),
        progress: o.progress,
        capabilities: via?.capabilities,
        trace,
        ...meta,
      }),
  });
}
