import type { Caller, HttpAnswer } from "../../calls/index.js";
import type { StoredResponseRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { CallOptions, InputItemsPage, Responses, Services } from "../../seams/index.js";
import { newId } from "../../util/ids.js";
import { fromUtf8, utf8 } from "../../util/json.js";
import { BackgroundResponses } from "./background-responses.js";
import { expandChain, joinLists, outputOf, rowsOfChain, type Chain } from "./chain.js";
import { failedText, withStatus } from "./ended.js";
import { EventFeed } from "./event-feed.js";
import { inputItemsPage } from "./input-items.js";
import { KeptFrames } from "./kept-frames.js";
import { ownResponse, providerOf, type Own, type OwnResponse } from "./own-response.js";
import { queuedResponse } from "./queued-response.js";
import { outgoing, readRequest, type ResponsesRequest } from "./read-request.js";
import { isFinal, ResponseRecords } from "./records.js";

export interface StoredResponsesOptions {
  /** How long a response is kept, ms; 30 days when left out. */
  readonly ttlMs?: number | undefined;
  /** The newest of this process that are kept; all when left out. For a store that ends with the process. */
  readonly maxRows?: number | undefined;
  /** 30 s when left out. */
  readonly leaseMs?: number | undefined;
}

const protocol = "openai-responses";
const TTL_MS = 30 * 86_400_000;
const LEASE_MS = 30_000;
/** A response in the background may take so long. */
const BACKGROUND_MS = 3_600_000;
const SWEEP_EVERY_MS = 600_000;
const CUT = ["x-sallyport-warnings", "previous_response_id: reasoning that another provider sealed was left out"] as const;

/** A request that is to be kept, and what it goes on from. */
interface Keeping {
  readonly request: ResponsesRequest;
  /** What goes out. */
  readonly bytes: Uint8Array;
  readonly chain: Chain;
  readonly own: Own;
  readonly o: CallOptions;
}

/**
 * The state of OpenAI's Responses dialect. All of it is the gateway's own, whatever makes the response: it is asked to keep nothing (`store: false`), and told the whole conversation each
 * time. So a conversation goes on with any vendor, key or region, no caller reaches what another one left at a vendor, and a response has one id and one owner. Why: docs/explanation/responses.md.
 */
export class StoredResponses implements Responses {
  readonly #services: Services;
  readonly #records: ResponseRecords;
  readonly #background: BackgroundResponses;
  readonly #feed: EventFeed;
  readonly #maxRows: number;
  /** Of this process, the oldest first; only counted where there is a most. */
  readonly #newest: Pick<StoredResponseRow, "id" | "projectId">[] = [];
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(services: Services, options: StoredResponsesOptions = {}) {
    const { store, clock } = services;
    this.#services = services;
    this.#maxRows = options.maxRows ?? Number.POSITIVE_INFINITY;
    this.#records = new ResponseRecords({ store, clock, ttlMs: options.ttlMs ?? TTL_MS });
    this.#feed = new EventFeed({ records: this.#records, clock, current: (id, caller) => this.#current(id, caller) });
    this.#background = new BackgroundResponses(services, {
      records: this.#records,
      onNews: (id) => this.#feed.tell(id),
      leaseMs: options.leaseMs ?? LEASE_MS,
    });
  }

  async create(given: Uint8Array, o: CallOptions): Promise<HttpAnswer> {
    const request = readRequest(given);
    const listed = this.#listed(request, o.caller);
    const chain = await expandChain(request, { records: this.#records, caller: o.caller, provider: listed?.madeBy ?? null });
    const bytes = outgoing(request, {
      input: chain.input,
      stream: request.stream || request.background,
      // A model that does not think may refuse to be asked for its thoughts.
      keepReasoning: request.store && listed?.thinks === true,
    });
    const answer = await this.#make(request, { bytes, chain, o });
    return chain.isCut ? { ...answer, headers: [...answer.headers, CUT] } : answer;
  }

  async #make(request: ResponsesRequest, { bytes, chain, o }: Pick<Keeping, "bytes" | "chain" | "o">): Promise<HttpAnswer> {
    const models = this.#services.seams.models.get();
    if (!request.store) return models.relay({ protocol, bytes }, o);
    this.#sweep();
    const own: Own = { id: newId("resp"), previousId: request.previousId, background: request.background };
    const keeping: Keeping = { request, bytes, chain, own, o };
    if (request.background) return this.#createInBackground(keeping);
    const answer = await models.relay({ protocol, bytes }, o);
    const keep = (response: OwnResponse): Promise<boolean> => this.#keep(keeping, response, providerOf(answer.headers));
    if (answer.body.kind === "frames") {
      const frames = new KeptFrames(answer.body.frames, { own, keep });
      return { ...answer, body: { kind: "frames", frames } };
    }
    if (answer.body.kind === "events") throw new GatewayError("internal", "A relayed call was answered with events.");
    const response = ownResponse(answer.body.bytes, own);
    const isKept = await keep(response);
    return {
      ...answer,
      body: { kind: "bytes", bytes: isKept ? response.bytes : ownResponse(answer.body.bytes, { ...own, isKept }).bytes },
    };
  }

  async expand(bytes: Uint8Array, caller: Caller): Promise<Uint8Array> {
    const request = readRequest(bytes);
    const provider = this.#listed(request, caller)?.madeBy ?? null;
    const { input } = await expandChain(request, { records: this.#records, caller, provider });
    return input === null
      ? bytes
      : request.fields.with({ input, ...(request.previousId === undefined ? {} : { previous_response_id: "null" }) });
  }

  async get(id: string, caller: Caller): Promise<Uint8Array> {
    return utf8(responseOf(await this.#current(id, caller)));
  }

  async events(
    id: string,
    o: { readonly caller: Caller; readonly after: number; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>> {
    mustBeInBackground(await this.#current(id, o.caller), "streamed again");
    return this.#feed.frames(id, o);
  }

  async remove(id: string, caller: Caller): Promise<void> {
    const row = await this.#records.mustGet(id, caller);
    await this.#records.remove(row);
    this.#background.stop(row);
    this.#feed.tell(id);
  }

  async cancel(id: string, caller: Caller): Promise<Uint8Array> {
    const row = await this.#current(id, caller);
    mustBeInBackground(row, "cancelled");
    if (!isFinal(row.status)) {
      await this.#records.end(row, { status: "cancelled", response: withStatus(row.response, "cancelled") });
      this.#background.stop(row);
      this.#feed.tell(id);
    }
    return this.get(id, caller);
  }

  async inputItems(id: string, page: InputItemsPage, caller: Caller): Promise<Uint8Array> {
    const row = await this.#records.mustGet(id, caller);
    // Without its own answer: that is what was made.
    const rows = await rowsOfChain(row, { records: this.#records, caller });
    const lists = rows.flatMap(({ input, response }) => [input, JSON.stringify(outputOf(response))]);
    return utf8(JSON.stringify(inputItemsPage(joinLists(lists.slice(0, -1)), page, id)));
  }

  /** Begins nothing in the background any more, and fails what is not done when the grace is over. Idempotent. */
  close(o: { readonly graceMs: number }): Promise<void> {
    return this.#background.close(o.graceMs);
  }

  async #createInBackground(keeping: Keeping): Promise<HttpAnswer> {
    const { request, bytes, own, o } = keeping;
    const { clock, seams } = this.#services;
    const response = queuedResponse(request, own, clock.now());
    const headers = await this.#background.start({
      row: { ...this.#row(keeping), status: "queued", response },
      own,
      call: (signal) => seams.models.get().relay({ protocol, bytes }, { ...o, signal, deadlineMs: clock.now() + BACKGROUND_MS }),
    });
    await this.#count({ id: own.id, projectId: o.caller.projects[0] });
    const told = headers.filter(([name]) => name.startsWith("x-sallyport-"));
    const done = (): void => undefined;
    if (!request.stream) {
      const current = await this.get(own.id, o.caller);
      return { status: 200, headers: [["content-type", "application/json"], ...told], body: { kind: "bytes", bytes: current }, done };
    }
    const frames = this.#feed.frames(own.id, { caller: o.caller, after: -1, signal: o.signal });
    return {
      status: 200,
      headers: [["content-type", "text/event-stream; charset=utf-8"], ...told],
      body: { kind: "frames", frames },
      done,
    };
  }

  /** What is known of the model before it is called: of a route, nothing. */
  #listed({ model }: ResponsesRequest, caller: Caller): { readonly madeBy: string | null; readonly thinks: boolean } | null {
    const listed = model === undefined ? null : this.#services.seams.models.get().find(caller, model);
    if (listed === null) return null;
    return { madeBy: listed.features === undefined ? null : listed.provider, thinks: listed.features?.includes("reasoning") === true };
  }

  #row({ chain, own, o }: Keeping) {
    const { id, background } = own;
    return { id, projectId: o.caller.projects[0], background, chain: [...chain.ids], input: chain.own };
  }

  /** False: it could not be kept. The answer is the caller's all the same: it was made, and paid for. */
  async #keep(keeping: Keeping, { bytes, status, itemIds }: OwnResponse, provider: string | null): Promise<boolean> {
    try {
      const row = await this.#records.insert({ ...this.#row(keeping), status, provider, response: fromUtf8(bytes) }, itemIds);
      await this.#count(row);
      return true;
    } catch (error) {
      this.#services.log.error("a response could not be kept", { requestId: keeping.o.requestId, code: GatewayError.from(error).code });
      this.#services.events.emit("internal.error", { where: "keeping a response", error });
      return false;
    }
  }

  async #count({ id, projectId }: Pick<StoredResponseRow, "id" | "projectId">): Promise<void> {
    if (this.#maxRows === Number.POSITIVE_INFINITY) return;
    this.#newest.push({ id, projectId });
    while (this.#newest.length > this.#maxRows) await this.#records.remove(this.#newest.shift()!);
  }

  /** The row, ended when its process is gone. Errors: `not_found`. */
  async #current(id: string, caller: Caller): Promise<StoredResponseRow> {
    const row = await this.#records.mustGet(id, caller);
    const isLost = !isFinal(row.status) && row.leaseUntilMs <= this.#services.clock.now() && !this.#background.isHere(id);
    if (!isLost) return row;
    const response = failedText(row.response, {
      code: "outcome_unknown",
      message: "The process that made this response ended before it was done.",
      hint: "Make it again.",
    });
    await this.#records.end(row, { status: "failed", response, lostOnly: true });
    return this.#records.mustGet(id, caller);
  }

  #sweep(): void {
    const nowMs = this.#services.clock.now();
    if (nowMs - this.#sweptAtMs < SWEEP_EVERY_MS) return;
    this.#sweptAtMs = nowMs;
    this.#records
      .sweep()
      .catch((error: unknown) => this.#services.events.emit("internal.error", { where: "removing old responses", error }));
  }
}

function responseOf(row: StoredResponseRow): string {
  return isFinal(row.status) ? row.response : withStatus(row.response, row.status);
}

function mustBeInBackground(row: StoredResponseRow, what: string): void {
  if (row.background) return;
  throw new GatewayError("bad_request", `This response was not made in the background, and cannot be ${what}.`, {
    hint: "Create it with background: true.",
  });
}
