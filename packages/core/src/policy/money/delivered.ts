/** What of an answer went by, for a call whose vendor never said what it used. */
export interface Delivered {
  /** Of everything: content and what it is wrapped in. */
  bytes: number;
  /** The beginning, as it was on the wire. */
  sample: string;
  /** Content alone, where it was decoded. */
  chars: number;
  events: number;
}

export function nothingDelivered(): Delivered {
  return { bytes: 0, sample: "", chars: 0, events: 0 };
}

/** An answer that came whole: all of it is its own sample, as far as one is read. */
export function wholeDelivered(bytes: Uint8Array): Delivered {
  return { bytes: bytes.length, sample: new TextDecoder().decode(bytes.subarray(0, WHOLE_SAMPLE_BYTES)), chars: 0, events: 0 };
}
const WHOLE_SAMPLE_BYTES = 1_048_576;
