import type { CallOptions, Transport } from "./transport.js";

/** One page of a list. */
export interface Page<View> {
  readonly data: readonly View[];
  /** null: there is no more. */
  readonly next_cursor: string | null;
}
export interface ListOptions extends CallOptions {
  /** A field to order by; a leading - is descending. */
  readonly sort?: string | undefined;
  /** 1 to 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  /** By the names of fields that may be filtered by. */
  readonly where?: Readonly<Record<string, string | number | boolean>> | undefined;
}
export interface CreateOptions extends CallOptions {
  /** Repeating the creation with it within a day gives the same answer. */
  readonly idempotencyKey?: string | undefined;
}
export interface ChangeOptions extends CallOptions {
  /** Only while the row has this version: `precondition_failed` otherwise, with the current one in `details.version`. */
  readonly ifVersion?: number | undefined;
}
export type BulkItem<Change> =
  | { readonly op: "update"; readonly id: string; readonly if_version?: number | undefined; readonly patch: Change }
  | { readonly op: "delete"; readonly id: string; readonly if_version?: number | undefined };
export interface BulkResult<View> {
  readonly id: string;
  readonly op: "update" | "delete";
  readonly status: number;
  readonly row: View | null;
  readonly error: { readonly code: string; readonly message: string; readonly hint?: string; readonly details?: unknown } | null;
}

/**
 * The rows of one resource over HTTP. Fields are in snake_case, instants Unix ms. Which of these a resource has is in its declaration; another is `method_not_allowed`.
 * Errors of every method: `GatewayError`s with the code, the details and the request id that the gateway answered with.
 */
export class ResourceClient<View, Create, Change> {
  readonly #transport: Transport;
  readonly #base: string;

  /** `path`: the last part of `/api/v1/{path}`. */
  constructor(transport: Transport, path: string) {
    this.#transport = transport;
    this.#base = `/api/v1/${path}`;
  }

  list(o: ListOptions = {}): Promise<Page<View>> {
    const { where, signal, sort, limit, cursor } = o;
    return this.#transport.json({ method: "GET", path: this.#base, query: { ...where, sort, limit, cursor }, signal });
  }

  /** Every row of the list, page after page as they are asked for. */
  async *all(o: ListOptions = {}): AsyncGenerator<View, void, undefined> {
    let cursor = o.cursor;
    do {
      const page = await this.list({ ...o, limit: o.limit ?? 100, cursor });
      yield* page.data;
      cursor = page.next_cursor ?? undefined;
    } while (cursor !== undefined);
  }

  get(id: string, o: CallOptions = {}): Promise<View> {
    return this.#transport.json({ method: "GET", path: this.#pathOf(id), signal: o.signal });
  }

  create(input: Create, o: CreateOptions = {}): Promise<View> {
    const headers = { "idempotency-key": o.idempotencyKey };
    return this.#transport.json({ method: "POST", path: this.#base, body: input, headers, signal: o.signal });
  }

  /** A merge-patch (RFC 7396): what it does not name stays, null takes away. */
  update(id: string, change: Change, o: ChangeOptions = {}): Promise<View> {
    return this.#transport.json({ method: "PATCH", path: this.#pathOf(id), body: change, headers: ifMatch(o), signal: o.signal });
  }

  /** The whole row: what is left out has its default again, but for secrets. */
  replace(id: string, input: Create, o: ChangeOptions = {}): Promise<View> {
    return this.#transport.json({ method: "PUT", path: this.#pathOf(id), body: input, headers: ifMatch(o), signal: o.signal });
  }

  delete(id: string, o: ChangeOptions = {}): Promise<{ id: string; deleted: true }> {
    return this.#transport.json({ method: "DELETE", path: this.#pathOf(id), headers: ifMatch(o), signal: o.signal });
  }

  /** Up to 100 changes, each for itself. */
  async bulk(items: readonly BulkItem<Change>[], o: CallOptions = {}): Promise<readonly BulkResult<View>[]> {
    const path = `${this.#base}/bulk`;
    const { data } = await this.#transport.json<{ data: BulkResult<View>[] }>({ method: "POST", path, body: items, signal: o.signal });
    return data;
  }

  /** Every row as one file, to be read as it comes. */
  export(format: "csv" | "json", o: ListOptions = {}): Promise<Response> {
    const { where, signal, sort } = o;
    return this.#transport.send({ method: "GET", path: this.#base, query: { ...where, sort, format }, signal });
  }

  #pathOf(id: string): string {
    return `${this.#base}/${encodeURIComponent(id)}`;
  }
}

function ifMatch({ ifVersion }: ChangeOptions): Record<string, string> {
  return ifVersion === undefined ? {} : { "if-match": `"${ifVersion}"` };
}
