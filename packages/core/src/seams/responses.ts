import type { Caller, HttpAnswer } from "../calls/index.js";
import type { CallOptions } from "./call-options.js";

export interface InputItemsPage {
  /** 1 to 100. */
  readonly limit: number;
  readonly order: "asc" | "desc";
  /** The id of the last item of the page before. */
  readonly after?: string | undefined;
}

/**
 * The Responses of OpenAI's dialect, which have a state: what is kept, continued, made in the background; filled by `routing`. Bytes are JSON in that dialect.
 * Errors of every method that names a response: `not_found`, also for one of another project.
 */
export interface Responses {
  /** Makes a response. Errors before the first byte are thrown: those of `ModelCaller.relay`, and `not_found` for something that it refers to. */
  create(bytes: Uint8Array, o: CallOptions): Promise<HttpAnswer>;
  /** A request with the earlier responses and items that it refers to put in their place. */
  expand(bytes: Uint8Array, caller: Caller): Promise<Uint8Array>;
  get(id: string, caller: Caller): Promise<Uint8Array>;
  /**
   * The events after the sequence number `after` (-1: all), those kept and then those to come, as frames. Errors: `bad_request` for a response that was not made in the background.
   */
  events(
    id: string,
    o: { readonly caller: Caller; readonly after: number; readonly signal: AbortSignal },
  ): Promise<AsyncIterable<Uint8Array>>;
  remove(id: string, caller: Caller): Promise<void>;
  /** Ends one that is made in the background, and gives it as it then is; one that has ended stays as it is. Errors: `bad_request` for one that was not made in the background. */
  cancel(id: string, caller: Caller): Promise<Uint8Array>;
  inputItems(id: string, page: InputItemsPage, caller: Caller): Promise<Uint8Array>;
}
