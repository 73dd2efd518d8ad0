import type { Json, JsonObject } from "./json.js";
import type { Extras } from "./protocol.js";

/**
 * A picture, sound or document: by URL, as bytes in base64, or as a file that was uploaded to a vendor, whose id means something to that vendor alone.
 * `mediaType` is as exact as is known: `image/*` for a picture by URL, `application/octet-stream` for an uploaded file.
 */
export interface MediaPart {
  readonly type: "media";
  readonly mediaType: string;
  readonly source:
    | { readonly kind: "url"; readonly url: string }
    | { readonly kind: "base64"; readonly data: string }
    | { readonly kind: "file"; readonly id: string };
  readonly filename?: string | undefined;
  readonly extras?: Extras | undefined;
}
export interface TextPart {
  readonly type: "text";
  readonly text: string;
  readonly extras?: Extras | undefined;
}
/** The model's own reasoning. `opaque` is a vendor's sealed form, to be returned to it unchanged. */
export interface ReasoningPart {
  readonly type: "reasoning";
  readonly text: string;
  readonly opaque?: string | undefined;
  readonly extras?: Extras | undefined;
}
export interface RefusalPart {
  readonly type: "refusal";
  readonly text: string;
}
/** `arguments` is the JSON text exactly as the model wrote it, so that big numbers and key order survive; it may be invalid. */
export interface ToolCallPart {
  readonly type: "tool-call";
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly extras?: Extras | undefined;
}
export interface ToolResultPart {
  readonly type: "tool-result";
  readonly callId: string;
  readonly content: readonly (TextPart | MediaPart)[];
  readonly isError?: boolean | undefined;
  readonly extras?: Extras | undefined;
}

export type Message =
  | { readonly role: "system" | "developer"; readonly content: readonly TextPart[]; readonly extras?: Extras | undefined }
  | {
      readonly role: "user";
      readonly content: readonly (TextPart | MediaPart)[];
      readonly name?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | {
      readonly role: "assistant";
      readonly content: readonly (TextPart | ReasoningPart | RefusalPart | ToolCallPart | MediaPart)[];
      readonly name?: string | undefined;
      readonly extras?: Extras | undefined;
    }
  | { readonly role: "tool"; readonly content: readonly ToolResultPart[]; readonly extras?: Extras | undefined };

/** A tool as a model sees it. `inputSchema` is JSON Schema (2020-12). */
export interface ToolSpec {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: JsonObject;
  readonly strict?: boolean | undefined;
  readonly extras?: Extras | undefined;
}
export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };
export type OutputFormat =
  | { readonly type: "text" }
  | { readonly type: "json" }
  | {
      readonly type: "json-schema";
      readonly name: string;
      readonly schema: JsonObject;
      readonly strict?: boolean | undefined;
      readonly description?: string | undefined;
    };

/**
 * One model call in neutral shape: what the callers in code write, and what the translate lane decodes to. What is undefined was not said and is
 * not sent: the gateway adds nothing that neither the caller nor the operator said.
 */
export interface ModelCall {
  /** `provider/model`, `route/name`, or a bare id that one provider owns. */
  readonly model: string;
  readonly messages: readonly Message[];
  readonly tools?: readonly ToolSpec[] | undefined;
  readonly toolChoice?: ToolChoice | undefined;
  readonly parallelToolCalls?: boolean | undefined;
  readonly output?: OutputFormat | undefined;
  readonly maxOutputTokens?: number | undefined;
  readonly temperature?: number | undefined;
  readonly topP?: number | undefined;
  readonly stop?: readonly string[] | undefined;
  readonly seed?: number | undefined;
  readonly presencePenalty?: number | undefined;
  readonly frequencyPenalty?: number | undefined;
  readonly n?: number | undefined;
  readonly reasoningEffort?: string | undefined;
  readonly user?: string | undefined;
  readonly metadata?: Readonly<Record<string, Json>> | undefined;
  readonly extras?: Extras | undefined;
}
