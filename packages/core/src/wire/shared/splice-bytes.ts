/** Bytes that take the place of those from `start` to `end`; an insertion has both equal. */
export interface Splice {
  readonly start: number;
  readonly end: number;
  readonly bytes: Uint8Array;
}

const POOL_BYTES = 65_536;
let pool = new Uint8Array(0);
let used = 0;

/** Memory of its own costs an array 1 to 2 µs, its release included; short ones share some. Never to be transferred. */
function allocate(length: number): Uint8Array {
  if (length > POOL_BYTES / 8) return new Uint8Array(length);
  if (used + length > pool.length) {
    pool = new Uint8Array(POOL_BYTES);
    used = 0;
  }
  const piece = pool.subarray(used, used + length);
  used += (length + 7) & ~7;
  return piece;
}

/** The bytes with each splice done, in one copy; the very same array when there is none. Splices come in order and do not overlap. */
export function spliceBytes(bytes: Uint8Array, splices: readonly Splice[]): Uint8Array {
  if (splices.length === 0) return bytes;
  let length = bytes.length;
  for (const splice of splices) length += splice.bytes.length - (splice.end - splice.start);
  const out = allocate(length);
  let from = 0;
  let to = 0;
  for (const splice of splices) {
    out.set(bytes.subarray(from, splice.start), to);
    to += splice.start - from;
    out.set(splice.bytes, to);
    to += splice.bytes.length;
    from = splice.end;
  }
  out.set(bytes.subarray(from), to);
  return out;
}
