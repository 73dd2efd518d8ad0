import type {
  Caller,
  Headers,
  HttpAnswer,
  LiveAnswer,
  ModelCall,
  ModelEvent,
  OperationName,
  Operations,
  ProtocolId,
} from "../calls/index.js";
import type { CallOptions } from "./call-options.js";

/** A model call in the bytes of a protocol, as a face received it. */
export interface WireCall {
  readonly protocol: ProtocolId;
  readonly bytes: Uint8Array;
  /** What the path said, for protocols that do not say it in the body. */
  readonly path?: { readonly model: string; readonly stream: boolean } | undefined;
  /** What of the caller's headers belongs to the call: goes on to a vendor of the same protocol, and to no other. */
  readonly headers?: Headers | undefined;
}

/** A model as it is listed to callers. */
export interface ListedModel {
  /** `provider/model`. */
  readonly id: string;
  readonly provider: string;
  readonly createdAtMs: number;
  readonly ownedBy: string;
  readonly title: string;
  /** null: nobody said. */
  readonly contextTokens: number | null;
  readonly maxOutputTokens: number | null;
  /** As in `Model`; undefined: nobody said, as of a route. */
  readonly kind?: string | undefined;
  readonly features?: readonly string[] | undefined;
  /** Modalities; empty: nobody said. */
  readonly inputFormats?: readonly string[] | undefined;
  readonly outputFormats?: readonly string[] | undefined;
  /** Other full names that lead to it. */
  readonly aliases?: readonly string[] | undefined;
  readonly deprecated?: boolean | undefined;
  /** When its vendor begins to refuse it; null: nobody said. */
  readonly retiresAtMs?: number | null | undefined;
  /** The full name of what takes its place. */
  readonly successor?: string | null | undefined;
}

export interface Operated<K extends OperationName> {
  readonly answer: Operations[K]["answer"];
  readonly headers: Headers;
}

/** How faces, runs and steps call models; filled by `routing`. */
export interface ModelCaller {
  /**
   * One call in a dialect, answered in the same dialect: bytes, or frames when it asked for a stream. Every policy step is applied.
   * Errors before the first byte are thrown, for the face to render; after it they are the dialect's terminal error event.
   */
  relay(call: WireCall, o: CallOptions): Promise<HttpAnswer>;
  /** One call in neutral shape, always as events. Errors before the first event are thrown here, later ones by the iteration. */
  call(call: ModelCall, o: CallOptions): Promise<LiveAnswer<ModelEvent>>;
  /**
   * One operation beside chat, answered whole. Every policy step is applied, and the call is over when this settles. `headers` are those that say what answered.
   * Errors: `unsupported_feature` when the model's provider has no such operation, `missing_dependency` naming the package that it needs, and those of any call.
   */
  operate<K extends OperationName>(name: K, call: Operations[K]["call"], o: CallOptions): Promise<Operated<K>>;
  /** The models that this caller may call, sorted by id. */
  list(caller: Caller): readonly ListedModel[];
  /** By `provider/model` or a bare id that one provider owns; null when there is none that the caller may see. */
  find(caller: Caller, name: string): ListedModel | null;
}
