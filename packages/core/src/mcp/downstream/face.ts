import type { HttpAnswer } from "../../calls/index.js";
import type { Snapshot } from "../../config/snapshot.js";
import { GatewayError } from "../../errors/index.js";
import type { CallOptions } from "../../seams/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import type { View } from "../catalogue/view.js";
import { idText, readMessage, requestPlan, type RpcMessage } from "../frames/message.js";
import { RPC, isModern } from "../frames/protocol.js";
import { sseFrame } from "../frames/sse-stream.js";
import { mediaType } from "../lanes/http-headers.js";
import { classify } from "./classify.js";
import type { LegacyFace } from "./legacy-face.js";
import type { ModernFace } from "./modern-face.js";
import type { McpRequest } from "./request.js";
import { STREAM_HEADERS, errorAnswer, rpcError, whyEnded } from "./respond.js";

export interface McpFaceOptions {
  readonly snapshot: () => Snapshot;
  readonly catalogue: Catalogue;
  readonly legacy: LegacyFace;
  readonly modern: ModernFace;
}

/** One address for clients of every revision. Always answers: what goes wrong is a JSON-RPC error with the status that the protocol gives it. */
export class McpFace {
  readonly #o: McpFaceOptions;
  constructor(options: McpFaceOptions) {
    this.#o = options;
  }

  async serve(request: McpRequest, o: CallOptions): Promise<HttpAnswer> {
    try {
      const { namespace, server } = request;
      const view = server === undefined ? this.#o.catalogue.view(this.#o.snapshot(), namespace, o.caller) : aloneView(server);
      const takesStream = accepted(request.header("accept")).stream;
      switch (request.method) {
        case "POST":
          return await this.#post(request, o, view);
        case "GET":
          return await this.#o.legacy.stream({ request, o, view, takesStream });
        case "DELETE":
          return await this.#o.legacy.end({ request, o, view, takesStream });
        default:
          return errorAnswer(405, "null", { code: RPC.serverError, message: "An MCP address takes POST, GET and DELETE." });
      }
    } catch (error) {
      const known = GatewayError.from(error);
      return errorAnswer(known.status, "null", rpcError(known, o.requestId));
    }
  }

  async #post(request: McpRequest, o: CallOptions, view: View): Promise<HttpAnswer> {
    const type = request.header("content-type");
    if (type !== "application/json" && mediaType(type) !== "application/json")
      return errorAnswer(415, "null", { code: RPC.serverError, message: "The Content-Type has to be application/json." });
    const accepts = accepted(request.header("accept"));
    if (!accepts.json && !accepts.stream)
      return errorAnswer(406, "null", {
        code: RPC.serverError,
        message: "The Accept header has to name application/json or text/event-stream.",
      });
    let message: RpcMessage;
    try {
      message = readMessage(request.bytes ?? new Uint8Array(0), requestPlan);
    } catch (error) {
      return errorAnswer(400, "null", rpcError(error, o.requestId));
    }
    const id = idText(message);
    let answer: HttpAnswer;
    try {
      answer = await this.#dispatch({ request, o, view, message, id, takesStream: accepts.stream });
    } catch (error) {
      const told = rpcError(whyEnded(error, o), o.requestId);
      // 2026-07-28 wants the status to say it as well.
      answer = errorAnswer(told.code === RPC.missingCapability ? 400 : 200, id, told);
    }
    return accepts.json ? answer : asStream(answer);
  }

  #dispatch(incoming: Parameters<LegacyFace["post"]>[0]): HttpAnswer | Promise<HttpAnswer> {
    const { message, request, id } = incoming;
    const header = (name: string) => request.header(name);
    if (message.kind === "response")
      return isModern(header("mcp-protocol-version") ?? "")
        ? errorAnswer(400, id, { code: RPC.invalidRequest, message: "Since 2026-07-28 answers come with the call that they are for." })
        : this.#o.legacy.answered(incoming);
    const classified = classify(message, header);
    switch (classified.era) {
      case "refused":
        return errorAnswer(classified.refusal.status, id, classified.refusal.error);
      case "legacy":
        return this.#o.legacy.post(incoming);
      case "modern":
        return this.#o.modern.post(incoming, classified.logLevel);
    }
  }
}

function aloneView(server: string): View {
  return { key: `server:${server}`, servers: new Set([server]), bare: server };
}

/** For a client that takes an event stream alone: the one message as the one event. */
function asStream(answer: HttpAnswer): HttpAnswer {
  if (answer.status !== 200 || answer.body.kind !== "bytes") return answer;
  return { ...answer, headers: STREAM_HEADERS, body: { kind: "bytes", bytes: sseFrame(answer.body.bytes) } };
}

interface Accepted {
  readonly json: boolean;
  readonly stream: boolean;
}
/** Clients send one of a few headers, over and over. */
const known = new Map<string, Accepted>();
const MAX_KNOWN = 64;

/** What the Accept header admits; one that is missing admits all. */
function accepted(accept: string | undefined): Accepted {
  if (accept === undefined) return { json: true, stream: true };
  const before = known.get(accept);
  if (before !== undefined) return before;
  const ranges = accept.split(",").map((range) => mediaType(range));
  const admits = (type: string, family: string) => ranges.some((range) => range === type || range === family || range === "*/*");
  const found = { json: admits("application/json", "application/*"), stream: admits("text/event-stream", "text/*") };
  if (known.size < MAX_KNOWN) known.set(accept, found);
  return found;
}
