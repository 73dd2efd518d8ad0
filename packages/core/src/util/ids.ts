const alphabet = "0123456789abcdefghijklmnopqrstuvwxyz";
const TAIL = 12;
let lastMs = 0;
let lastMsText = "";
let counter = 0;
/** Asking the system for randomness costs the same for one id as for many, and so does writing it down. */
const pool = new Uint8Array(TAIL * 256);
let tails = "";
let used = pool.length;

/**
 * A new id: `prefix_` then 9 characters of time, 3 of a counter and 12 random ones. Ids of one process sort by creation; two never collide in practice
 * (62 random bits a millisecond and counter value).
 */
export function newId(prefix: string): string {
  const nowMs = Date.now();
  if (nowMs > lastMs) {
    lastMs = nowMs;
    lastMsText = nowMs.toString(36).padStart(9, "0");
    counter = 0;
  } else counter = (counter + 1) % 46656;
  if (used === pool.length) {
    globalThis.crypto.getRandomValues(pool);
    tails = String.fromCharCode(...pool.map((byte) => alphabet.charCodeAt(byte % 36)));
    used = 0;
  }
  const tail = tails.slice(used, (used += TAIL));
  return `${prefix}_${lastMsText}${counter.toString(36).padStart(3, "0")}${tail}`;
}
