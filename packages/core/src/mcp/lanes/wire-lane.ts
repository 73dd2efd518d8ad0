import { GatewayError } from "../../errors/index.js";
import type { Clock, McpWire } from "../../ports/index.js";
import { numericId, readDeepMessage, readMessage, upstreamPlan, valueMember, type RpcMessage } from "../frames/message.js";
import { utf8 } from "../frames/splice.js";
import { oneLine } from "../frames/sse-stream.js";
import { InFlight, type Flight } from "./in-flight.js";
import type { ExchangeOptions, Lane, LaneEvents, UpstreamRequest } from "./lane.js";
import { LogOwner } from "./log-owner.js";

const NOTIFY_MS = 5_000;

interface Pending {
  readonly method: string;
  readonly mayBeDeep: boolean;
  readonly o: ExchangeOptions;
  readonly resolve: (reply: RpcMessage) => void;
  readonly reject: (error: Error) => void;
  /** `isAnswered`: the server is done with it. */
  readonly release: (isAnswered: boolean) => void;
}

export interface WireLaneOptions {
  readonly clock: Clock;
  readonly events: LaneEvents;
  readonly stderr: () => string | null;
  /** Something arrived that is no message; it was left out. */
  readonly onGarbage: (error: GatewayError) => void;
}

/** Many requests over one wire (a child process, or a server in this process), told apart by the ids that the lane gives. */
export class WireLane implements Lane {
  readonly #wire: McpWire;
  readonly #o: WireLaneOptions;
  readonly #pending = new Map<number, Pending>();
  readonly #logs: LogOwner;
  readonly #inFlight: InFlight;
  #nextId = 1;
  #closed: { readonly why: Error | null } | null = null;

  constructor(wire: McpWire, options: WireLaneOptions) {
    this.#wire = wire;
    this.#o = options;
    this.#logs = new LogOwner(options.clock);
    this.#inFlight = new InFlight(options.clock);
    wire.onFrame((frame) => this.#receive(frame));
    wire.onClose((why) => this.#over(why));
  }

  async exchange(request: UpstreamRequest, o: ExchangeOptions): Promise<RpcMessage> {
    this.#refuseIfOver();
    o.signal?.throwIfAborted();
    const id = this.#nextId++;
    this.#logs.used(o.owner);
    const reply = this.#await(id, request, o);
    // Both may fail at once; the first failure is the one that is told.
    reply.catch(() => undefined);
    try {
      await this.#wire.send(oneLine(request.encode(id)), o);
    } catch (error) {
      this.#take(id)?.reject(error instanceof Error ? error : new Error(String(error)));
    }
    return reply;
  }

  async notify(message: Uint8Array, deadlineMs: number): Promise<void> {
    this.#refuseIfOver();
    await this.#wire.send(oneLine(message), { deadlineMs });
  }

  adopt(): void {
    // Nothing on a wire names the revision.
  }
  begin(): void {
    // A wire carries both directions from the start.
  }

  stderr(): string | null {
    return this.#o.stderr();
  }

  async close(): Promise<void> {
    await this.#wire.close();
    this.#over(null);
  }

  #await(id: number, request: UpstreamRequest, o: ExchangeOptions): Promise<RpcMessage> {
    return new Promise((resolve, reject) => {
      const stop = (error: GatewayError) => {
        this.#take(id)?.reject(error);
        this.#cancelAtServer(id, error.code);
      };
      const onAbort = () => {
        const why: unknown = o.signal?.reason;
        stop(GatewayError.is(why, "upstream_timeout") ? why : new GatewayError("cancelled", "The call was cancelled."));
      };
      const cancelTimer = this.#o.clock.at(o.deadlineMs, () =>
        stop(new GatewayError("upstream_timeout", `The server did not answer ${request.method} in time.`)),
      );
      o.signal?.addEventListener("abort", onAbort, { once: true });
      const flight: Flight = this.#inFlight.begin(o);
      const release = (isAnswered: boolean) => {
        cancelTimer();
        o.signal?.removeEventListener("abort", onAbort);
        this.#inFlight.end(flight, isAnswered);
      };
      this.#pending.set(id, { method: request.method, mayBeDeep: request.mayBeDeep === true, o, resolve, reject, release });
    });
  }

  #take(id: number, isAnswered = false): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    pending.release(isAnswered);
    return pending;
  }

  #cancelAtServer(id: number, reason: string): void {
    const note = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":${id},"reason":${JSON.stringify(reason)}}}`;
    this.#sendQuietly(utf8(note));
  }

  /** For what nobody waits for: when it cannot be sent, the end of the connection is told to everybody anyway. */
  #sendQuietly(frame: Uint8Array): void {
    if (this.#closed !== null) return;
    this.#wire.send(frame, { deadlineMs: this.#o.clock.now() + NOTIFY_MS }).catch(() => undefined);
  }

  #receive(frame: Uint8Array): void {
    let message: RpcMessage;
    try {
      message = readMessage(frame, upstreamPlan);
    } catch (error) {
      return this.#unreadable(frame, GatewayError.from(error));
    }
    if (message.kind === "response") this.#answered(message);
    else if (message.kind === "request") void this.#asked(message);
    else this.#noticed(message);
  }

  /** What is only nested too deeply is still the answer to something, which need not wait for another. */
  #unreadable(frame: Uint8Array, error: GatewayError): void {
    const message = deepResponse(frame);
    const id = message === null ? null : numericId(message);
    const pending = id === null ? undefined : this.#take(id, true);
    if (message === null || pending === undefined) return this.#o.onGarbage(error);
    if (pending.mayBeDeep) return pending.resolve(message);
    pending.reject(
      new GatewayError("upstream_protocol", `The server's answer to ${pending.method} is nested too deeply.`, { cause: error }),
    );
  }

  #answered(message: RpcMessage): void {
    const id = numericId(message);
    if (id !== null) this.#take(id, true)?.resolve(message);
  }

  async #asked(request: RpcMessage): Promise<void> {
    const answer = await this.#inFlight.answer(request, null);
    if (answer !== null) this.#sendQuietly(oneLine(answer));
  }

  #noticed(message: RpcMessage): void {
    if (message.method === "notifications/progress") {
      const token = valueMember(message.bytes, message.params, "progressToken");
      if (typeof token === "number") this.#pending.get(token)?.o.onNotice?.(message);
      return;
    }
    if (message.method !== "notifications/message") {
      if (!this.#inFlight.noticed(message)) this.#o.events.onNotice(message);
      return;
    }
    const owner = this.#logs.current();
    if (owner === null) return;
    for (const pending of [...this.#pending.values()].reverse())
      if (pending.o.owner === owner && pending.o.onNotice !== undefined) return pending.o.onNotice(message);
    this.#o.events.onLog(owner, message);
  }

  #refuseIfOver(): void {
    if (this.#closed === null) return;
    throw new GatewayError("upstream_unavailable", "The connection to the server is closed.", { cause: this.#closed.why });
  }

  #over(why: Error | null): void {
    if (this.#closed !== null) return;
    this.#closed = { why };
    const error = GatewayError.is(why, "upstream_protocol") ? why : interrupted(why);
    for (const id of [...this.#pending.keys()]) this.#take(id)?.reject(error);
    this.#o.events.onClose(why);
  }
}

function deepResponse(frame: Uint8Array): RpcMessage | null {
  try {
    const message = readDeepMessage(frame);
    return message.kind === "response" ? message : null;
  } catch {
    return null;
  }
}

function interrupted(why: Error | null): GatewayError {
  const message = GatewayError.is(why) ? why.message : "The connection to the server broke before it answered.";
  return new GatewayError("upstream_interrupted", message, { cause: why });
}
