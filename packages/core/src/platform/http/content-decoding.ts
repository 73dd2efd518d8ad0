import { Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Headers } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { HttpResponse } from "../../ports/index.js";

const decoders: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * An answer as if it had not been compressed, for servers that compress though we ask them not to. Limits count decoded bytes: what unpacks to
 * more is cut off while it unpacks. Errors: `upstream_protocol` for an encoding that we do not know, or bytes that are not in it.
 */
export function decoded(response: HttpResponse): HttpResponse {
  const encoding = response.headers
    .find(([name]) => name === "content-encoding")?.[1]
    .trim()
    .toLowerCase();
  if (encoding === undefined || encoding === "" || encoding === "identity") return response;
  const makeDecoder = Object.hasOwn(decoders, encoding) ? decoders[encoding] : undefined;
  if (makeDecoder === undefined) {
    response.discard();
    throw new GatewayError("upstream_protocol", "The server's answer has a content encoding that was not asked for and is not known here.");
  }
  const headers: Headers = response.headers.filter(([name]) => name !== "content-encoding" && name !== "content-length");
  const chunks = (): AsyncIterable<Uint8Array> => decodeChunks(response.chunks(), makeDecoder());
  return { status: response.status, headers, chunks, bytes: (maxBytes) => collect(chunks(), maxBytes), discard: () => response.discard() };
}

async function* decodeChunks(source: AsyncIterable<Uint8Array>, decoder: Transform): AsyncGenerator<Uint8Array> {
  const decoding = Readable.from(source, { objectMode: true })
    .once("error", (error) => decoder.destroy(error))
    .pipe(decoder);
  try {
    for await (const chunk of decoding) yield chunk as Buffer;
  } catch (error) {
    if (GatewayError.is(error)) throw error;
    throw new GatewayError("upstream_protocol", "The server's compressed answer could not be unpacked.", { cause: error });
  } finally {
    decoding.destroy();
    // Also when the reader left before the source began: closes the connection.
    await source[Symbol.asyncIterator]().return?.();
  }
}

async function collect(chunks: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

export function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError("payload_too_large", `The server's answer is larger than ${maxBytes} bytes.`, { details: { maxBytes } });
}
