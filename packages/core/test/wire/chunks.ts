/** Byte streams for codecs: whole, by the byte, split where a test wants it, broken off. */

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

export async function* stream(...chunks: (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield typeof chunk === "string" ? bytesOf(chunk) : chunk;
}
export async function* breaking(error: Error, ...chunks: (Uint8Array | string)[]): AsyncGenerator<Uint8Array> {
  yield* stream(...chunks);
  throw error;
}
export async function* byTheByte(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < bytes.length; i++) yield bytes.subarray(i, i + 1);
}
export function splitAt(bytes: Uint8Array, at: number): AsyncGenerator<Uint8Array> {
  return stream(bytes.subarray(0, at), bytes.subarray(at));
}
/** `data:` frames of values, with the line end of choice. */
export function framesOf(values: readonly unknown[], lineEnd = "\n"): string {
  return values.map((value) => `data: ${typeof value === "string" ? value : JSON.stringify(value)}${lineEnd}${lineEnd}`).join("");
}
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of source) all.push(value);
  return all;
}
/** All that came before a failure, and the failure, which is null when there was none. */
export async function collectUntilFailure<T>(source: AsyncIterable<T>): Promise<{ values: T[]; error: unknown }> {
  const values: T[] = [];
  try {
    for await (const value of source) values.push(value);
  } catch (error) {
    return { values, error };
  }
  return { values, error: null };
}
export async function joined(source: AsyncIterable<Uint8Array>): Promise<string> {
  return textOf(Buffer.concat(await collect(source)));
}
