import { joinBytes } from "../../util/encoding/join-bytes.js";
type Result = IteratorResult<Uint8Array, unknown>;

/** More is not held back: the vendor has begun to say something, if nothing of use. */
const MOST_HELD_BYTES = 65_536;

/**
 * The first chunk of frames that says something, with the comments before it, by which vendors keep a connection open while they have not begun: as long as nothing else came, another target can still be
 * tried. Only for attempts whose time to begin is bounded: a caller who waits for long is better off with the comments.
 */
export async function firstToken(frames: AsyncIterator<Uint8Array>): Promise<Result> {
  const held: Uint8Array[] = [];
  let bytes = 0;
  for (;;) {
    const next = await frames.next();
    if (next.done === true) return next;
    held.push(next.value);
    bytes += next.value.byteLength;
    if (isComment(next.value) && bytes <= MOST_HELD_BYTES) continue;
    return held.length === 1 ? next : { done: false, value: joinBytes(held) };
  }
}

/** Whole frames: each line begins with a colon, or is empty. */
function isComment(frames: Uint8Array): boolean {
  let isLineStart = true;
  for (const byte of frames) {
    const isBreak = byte === 0x0a || byte === 0x0d;
    if (isLineStart && !isBreak && byte !== 0x3a) return false;
    isLineStart = isBreak;
  }
  return true;
}
