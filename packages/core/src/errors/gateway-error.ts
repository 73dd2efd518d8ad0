import { codes, type Blame, type ErrorCode } from "./codes.js";

const brand = Symbol.for("sallyport.GatewayError");

export interface GatewayErrorOptions {
  /** One sentence that says how to mend it. */
  readonly hint?: string;
  /** Ids, names, limits and numbers; never a secret, a prompt or a header. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** When a repetition may succeed, in ms from now. */
  readonly retryAfterMs?: number;
  /** Of an answer that the client got: what to look for in the gateway's log. */
  readonly requestId?: string | undefined;
  /** For logs only; never sent to a caller. */
  readonly cause?: unknown;
}

/**
 * The one error class of Sallyport. `code` is stable; `status`, `retryable` and `blame` come from the code table.
 * The message says what happened and why, `hint` how to mend it. Recognise it with `GatewayError.is`, which holds across two
 * copies of the package in one process, where `instanceof` would not.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly retryAfterMs: number | undefined;
  /** Set by the client, for an error that a gateway answered with. */
  readonly requestId: string | undefined;

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "GatewayError";
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
    this.requestId = options.requestId;
    Object.defineProperty(this, brand, { value: true });
  }

  get status(): number {
    return codes[this.code].status;
  }
  get retryable(): boolean {
    return codes[this.code].retryable;
  }
  get blame(): Blame {
    return codes[this.code].blame;
  }

  /** What our own faces answer: `{code, message, hint?, details?}`; the face adds `request_id`. */
  toJSON(): { code: ErrorCode; message: string; hint?: string; details?: Readonly<Record<string, unknown>> } {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  static is(value: unknown): value is GatewayError;
  static is<C extends ErrorCode>(value: unknown, code: C): value is GatewayError & { code: C };
  static is(value: unknown, code?: ErrorCode): boolean {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, brand)) return false;
    return code === undefined || (value as GatewayError).code === code;
  }

  /**
   * What any thrown value is for a caller: a GatewayError as it is, an abort as `cancelled`, a timeout as `deadline_exceeded`, all else as
   * `internal` with the value as `cause` and nothing of its text in the message.
   */
  static from(value: unknown): GatewayError {
    if (GatewayError.is(value)) return value;
    if (value instanceof Error && value.name === "AbortError")
      return new GatewayError("cancelled", "The call was cancelled.", { cause: value });
    if (value instanceof Error && value.name === "TimeoutError")
      return new GatewayError("deadline_exceeded", "The deadline passed before the work was done.", { cause: value });
    return new GatewayError("internal", "The gateway failed to handle this request.", {
      hint: "This is a defect: the log has the cause under the same request id.",
      cause: value,
    });
  }
}
