import type { HttpAnswer, ProtocolId } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { BatchRequest, BatchResult, CallOptions, Services } from "../../seams/index.js";
import { fromUtf8, utf8 } from "../../util/json.js";
import { collectBytes } from "../../util/encoding/join-bytes.js";
import type { Codec } from "../../wire/shared/codec.js";

/** The endpoints that a batch may be for, and whose dialect their requests are in. */
const endpoints: Readonly<Record<string, ProtocolId>> = {
  "/v1/chat/completions": "openai-chat",
  "/v1/embeddings": "openai-chat",
  "/v1/responses": "openai-responses",
  "/v1/messages": "anthropic-messages",
};

/** Errors: `unsupported_feature` naming the endpoints that there are. */
export function checkEndpoint(endpoint: string): void {
  if (Object.hasOwn(endpoints, endpoint)) return;
  throw new GatewayError("unsupported_feature", `The gateway makes no batches for "${endpoint.slice(0, 100)}".`, {
    hint: `It does for ${Object.keys(endpoints).join(", ")}.`,
    details: { param: "endpoint" },
  });
}

/** Makes the requests of batches, each as the call that it would be by itself. */
export class BatchCalls {
  readonly #services: Services;
  readonly #codecs: ReadonlyMap<ProtocolId, Codec>;

  constructor(services: Services, codecs: readonly Codec[]) {
    this.#services = services;
    this.#codecs = new Map(codecs.map((codec) => [codec.protocol, codec]));
  }

  /** The codec of an endpoint's dialect. Errors: `unsupported_feature`. */
  codecOf(endpoint: string): Codec {
    checkEndpoint(endpoint);
    const codec = this.#codecs.get(endpoints[endpoint]!);
    if (codec !== undefined) return codec;
    throw new GatewayError("unsupported_feature", `This version does not speak ${endpoints[endpoint]}.`);
  }

  /** One request. What it fails with is its result; only that the work has to stop is thrown. */
  async make(endpoint: string, request: BatchRequest, o: CallOptions): Promise<BatchResult> {
    const { customId } = request;
    const { requestId } = o;
    const codec = this.codecOf(endpoint);
    try {
      const answer = await this.#call(endpoint, utf8(JSON.stringify(request.body)), { codec, options: o });
      return { customId, ok: true, status: 200, requestId, body: answer };
    } catch (error) {
      const known = GatewayError.from(error);
      if (o.signal.aborted) throw known;
      const { status, bytes } = codec.encodeError(known, requestId);
      return { customId, ok: false, status, requestId, body: fromUtf8(bytes) };
    }
  }

  async #call(
    endpoint: string,
    bytes: Uint8Array,
    { codec, options }: { readonly codec: Codec; readonly options: CallOptions },
  ): Promise<string> {
    const { seams } = this.#services;
    if (endpoint === "/v1/embeddings") {
      const call = codec.embed!.decodeRequest(bytes);
      const { answer } = await seams.models.get().operate("embed", call, options);
      return fromUtf8(codec.embed!.encodeAnswer(answer, call));
    }
    if (codec.protocol === "openai-responses") return wholeText(await seams.responses.get().create(bytes, options));
    return wholeText(await seams.models.get().relay({ protocol: codec.protocol, bytes }, options));
  }
}

async function wholeText(answer: HttpAnswer): Promise<string> {
  try {
    const { body } = answer;
    const text = fromUtf8(
      body.kind === "bytes" ? body.bytes : await collectBytes((body as { readonly frames: AsyncIterable<Uint8Array> }).frames),
    );
    answer.done("sent");
    return text;
  } catch (error) {
    answer.done("failed", GatewayError.from(error).code);
    throw error;
  }
}
