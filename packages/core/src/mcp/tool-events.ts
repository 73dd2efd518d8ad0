import type { Answer, Json, ToolEvent, ToolHead } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { LiveCall } from "../policy/live-call.js";
import { noteToolCost } from "../policy/money/tool-price.js";
import type { Bridged } from "./bridge/bridged-call.js";
import type { Replied } from "./bridge/held-call.js";
import type { Catalogue } from "./catalogue/catalogue.js";
import { changedText } from "./frames/changed-text.js";
import { member, readMessage, requestPlan, upstreamPlan, type RpcMessage } from "./frames/message.js";
import { META } from "./frames/protocol.js";
import { insertMembers, replaceWith, splice, utf8 } from "./frames/splice.js";
import { ownRequest } from "./lanes/own-request.js";
import { mirror } from "./lanes/param-headers.js";
import { progressSaid, resultSaid } from "./server-said.js";
import { exchangeTool, noteReply, traceOf } from "./tool-exchange.js";

export interface ToolEventsOptions {
  readonly call: LiveCall<ToolHead>;
  /** Makes the call; what its server says in the course of it goes to `onNotice`. */
  readonly exchange: (onNotice: (notice: RpcMessage) => void) => Promise<Bridged>;
}

/** The arguments as the steps left them. */
export function argumentsOf(call: LiveCall<ToolHead>): string {
  const content = call.content();
  if (content.kind !== "tool") throw new GatewayError("internal", "A tool call has no tool call's content.");
  return content.arguments;
}

/** A `tools/call` with what steps changed of its arguments; all else as its caller sent it. */
export function leftBySteps(call: LiveCall<ToolHead>, message: RpcMessage): RpcMessage {
  if (!call.isReplaced) return message;
  const left = argumentsOf(call);
  const { bytes, params } = message;
  const args = member(params, "arguments");
  if (args === null) return readMessage(splice(bytes, [insertMembers(params!, `"arguments":${left}`)]), requestPlan);
  const text = changedText(bytes.subarray(args.start, args.end), JSON.parse(left) as Json);
  return text === null ? message : readMessage(splice(bytes, [replaceWith(args, text)]), requestPlan);
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

async function run({ call, exchange }: ToolEventsOptions, push: (event: ToolEvent) => void): Promise<void> {
  const bridged = await exchange((notice) => {
    const event = progressSaid(notice);
    if (event !== null) push(event);
  });
  call.meter.provider = call.head.server;
  if (bridged.kind === "task") {
    // What it comes to is told to requests that cost nothing: it is paid for now, as a call without a result.
    noteToolCost(call, { bytes: 0, isError: () => false });
    const { taskId } = JSON.parse(`{${bridged.members}}`) as { readonly taskId: string };
    return push(resultSaid(call, made(`"resultType":"task",${bridged.members}`), { state: null, taskId }));
  }
  if (bridged.kind === "input") return push(resultSaid(call, asked(bridged), bridged));
  if (bridged.isLate) noteReply(call, bridged.replied.reply);
  if (bridged.replied.reply.error !== null) call.failed("tool_failed");
  push(resultSaid(call, bridged.replied, bridged));
}

/** What a server that waits wants to know, as one that does not would say it. */
function asked({ requests, state }: Extract<Bridged, { kind: "input" }>): Replied {
  return made(`"resultType":"input_required","inputRequests":${requests},"requestState":${JSON.stringify(state)}`);
}

/** A result of ours, by its members. */
function made(members: string): Replied {
  const reply = readMessage(utf8(`{"jsonrpc":"2.0","id":0,"result":{${members}}}`), upstreamPlan);
  return { reply, connection: { era: "modern" } };
}

export interface OwnToolCall {
  readonly catalogue: Catalogue;
  readonly call: LiveCall<ToolHead>;
  /** Ask for progress. */
  readonly progress: boolean;
  /** For the server, so that it knows a repetition; left out: none. */
  readonly idempotencyKey?: string | undefined;
}

/** A call that starts with us, whose server can ask nobody. Errors: as of `exchangeTool`. */
export async function ownToolCall(o: OwnToolCall, onNotice: (notice: RpcMessage) => void): Promise<Bridged> {
  const { catalogue, call, progress, idempotencyKey } = o;
  const { tool } = call.head;
  const said = argumentsOf(call);
  const meta = idempotencyKey === undefined ? {} : { meta: `"${META.idempotencyKey}":${JSON.stringify(idempotencyKey)}` };
  const replied = await exchangeTool({
    ...{ catalogue, call, onNotice },
    // What is heard of its progress, or carries a key of its own, is nobody else's.
    same: progress || idempotencyKey !== undefined ? undefined : () => said,
    build: (connection, { paramHeaders }) =>
      ownRequest(connection, {
        method: "tools/call",
        params: `"name":${JSON.stringify(tool)},"arguments":${said}`,
        subject: tool,
        headers: paramHeaders.length === 0 ? [] : mirror(paramHeaders, JSON.parse(said)),
        ...{ progress, trace: traceOf(call), ...meta },
      }),
  });
  return { kind: "reply", replied, state: null, isLate: false };
}
