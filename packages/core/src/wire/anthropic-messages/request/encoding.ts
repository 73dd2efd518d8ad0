import type { Block } from "../cache-control.js";
import type { Warning } from "../../shared/codec.js";

/** What the parts of one request's encoding share. */
export interface Encoding {
  readonly warn: (warning: Warning) => void;
  /** Every block that may be marked for the cache, in the order of the prompt. */
  readonly blocks: Block[];
}

/** Keeps a block for the count of breakpoints. */
export function kept(block: Block, { blocks }: Encoding): Block {
  blocks.push(block);
  return block;
}
