import type { Usage } from "../calls/index.js";

/** What the lanes find out about a call while it runs; read when it is over. One writer: the lane of the call. */
export class Meter {
  usage: Usage = {};
  /** What answered; null until an attempt was made. */
  provider: string | null = null;
  model: string | null = null;
  attempts = 0;
  /** The answer ended before it was whole. */
  partial = false;
  /** Nano-US-dollars; null: the price is not known. */
  costNanoUsd: number | null = null;
}
