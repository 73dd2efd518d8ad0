import type { ProtocolId } from "./protocol.js";

/** What a model can be asked for. "generate" covers chat in every dialect; "video" is one job, from its start to its result. */
export type ModelOperation = "generate" | "count-tokens" | "embed" | "image" | "speech" | "transcribe" | "video" | "moderate" | "batch";

/**
 * What policy may know of a model call without decoding it: read from the bytes in one scan, no tree built.
 */
export interface ModelHead {
  readonly kind: "model";
  readonly protocol: ProtocolId;
  /** What is asked for; "generate" covers chat in every dialect. */
  readonly operation: ModelOperation;
  /** The model as the caller named it. */
  readonly name: string;
  /** Every full name of the model, its own first, whichever the caller used; of a route, names of the models it may end at beside those that it is written with. Left out: there are no others. */
  readonly names?: readonly string[] | undefined;
  readonly stream: boolean;
  readonly maxOutputTokens: number | undefined;
  /** How many answers, or pictures, are wanted; 1 when left out. */
  readonly choices?: number | undefined;
  /** How long a film is wanted. */
  readonly seconds?: number | undefined;
  /** Bytes of the request's body. */
  readonly bytes: number;
}

/** What an MCP server can be asked for: a tool is called, a resource read, a prompt got, an argument completed. */
export type ToolOperation = "call" | "read" | "prompt" | "complete";

/** What policy may know of a tool call without decoding its arguments; of what is read rather than called too, under the same names. */
export interface ToolHead {
  readonly kind: "tool";
  /** The name as the caller knows it: `server__tool`. */
  readonly name: string;
  readonly server: string;
  /** The tool's own name at its server. */
  readonly tool: string;
  /** "call" when left out. */
  readonly operation?: ToolOperation | undefined;
  /** As the caller gave it, for a call that it may repeat; left out: none. */
  readonly idempotencyKey?: string | undefined;
  readonly bytes: number;
}

export type CallHead = ModelHead | ToolHead;
