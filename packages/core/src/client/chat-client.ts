import { GatewayError } from "../errors/index.js";
import type { chatRoutes, RunEventView } from "../routes/index.js";
import { chatPaths, operations, type Operation } from "./operations.js";
import { ENDS, eventsIn, runEvents } from "./run-events.js";
import type { Transport } from "./transport.js";

type Chat = Operation<typeof chatRoutes.chat>;
type Asked = Parameters<Chat>[0];

/** One turn, in a session or by itself. */
export interface ChatClient {
  /** The whole answer. With an `idempotencyKey` a repetition gets the same. Errors: what the turn fails with; `deadline_exceeded`, with the run's id in the details, when it goes on for longer than a request may. */
  send: Chat;
  /** The events of the turn's run to its end, across connections that break. Whoever leaves early ends the connection, not the run. Errors: those of the gateway; `upstream_interrupted`. */
  events(asked: Asked): AsyncGenerator<RunEventView, void, undefined>;
}

export function chatClient(transport: Transport): ChatClient {
  const { chat } = operations<typeof chatRoutes>(transport, chatPaths);
  return { send: (asked) => chat(asked), events: (asked) => chatEvents(transport, asked) };
}

async function* chatEvents(transport: Transport, asked: Asked): AsyncGenerator<RunEventView, void, undefined> {
  const [method, path] = chatPaths.chat;
  const { query, body, idempotencyKey, signal } = asked;
  const headers = { accept: "text/event-stream", "idempotency-key": idempotencyKey };
  const response = await transport.send({ method, path, query, body: { ...body, stream: true }, headers, signal });
  const id = response.headers.get("x-run-id");
  if (id === null) throw new GatewayError("upstream_protocol", "The gateway did not say which run the turn is.");
  let after = 0;
  for await (const event of eventsIn(response, signal)) {
    after = event.seq;
    yield event;
    if (ENDS.has(event.type)) return;
  }
  yield* runEvents(transport, id, { after, signal });
}
