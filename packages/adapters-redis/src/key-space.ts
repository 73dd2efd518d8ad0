import { createHash } from "node:crypto";

/** How many slots the keys of one kind lie on: enough to spread over a cluster, few enough that a call's demands often share one. */
const SHARDS = 64;

/** The names of keys. What is between braces decides the slot of a cluster, and every key has some. */
export class KeySpace {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Of the same kind and the same shard: on the same slot. */
  shardOf(key: string): string {
    return String(createHash("sha1").update(key).digest().readUInt32BE(0) % SHARDS);
  }
  /** `kind`: "window", "slot". */
  sharded(kind: string, key: string): string {
    return `${this.#prefix}${kind}:{${this.shardOf(key)}}:${key}`;
  }
  /** For keys that are never used together. */
  single(kind: string, key: string): string {
    return `${this.#prefix}${kind}:${key}`;
  }
  /** What belongs together as a whole: the queue of a lane. */
  group(kind: string, name: string): string {
    return `{${this.#prefix}${kind}:${name}}`;
  }
}
