import type { ModelHead } from "../../calls/index.js";
import type { SemanticRules } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Clock } from "../../ports/index.js";
import type { ModelCaller } from "../../seams/index.js";
import type { Log } from "../../util/log.js";
import type { OpenCall } from "../step.js";

export interface SimilarAnswersOptions {
  readonly models: () => Pick<ModelCaller, "operate">;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Similar {
  /** Of the answer that is kept. */
  readonly key: string;
  /** Cosine, at most 1. */
  readonly similarity: number;
}

/** What of the package is used. */
interface VectorIndex {
  add(key: string, vector: readonly number[]): Promise<void>;
  remove(key: string): Promise<void>;
  nearest(vector: readonly number[], threshold: number): Promise<Similar | null>;
}
interface Partition {
  readonly index: VectorIndex;
  readonly dimensions: number;
  /** The oldest first. */
  readonly keys: Set<string>;
}

/** An embedding is not waited for longer. */
const EMBED_MS = 2_000;
/** Questions in as many different frames are remembered; the one that was used longest ago is forgotten. */
const MAX_PARTITIONS = 200;
export const SEMANTIC_PURPOSE = "semantic-cache";

/**
 * Which kept answer was given to a question that means the same: vectors in this process's memory, in a partition for each frame of questions, which never look into each other. What is not there,
 * cannot be made in time or fails is no answer; nothing here fails a call.
 */
export class SimilarAnswers {
  readonly #o: SimilarAnswersOptions;
  /** In the order of use, the oldest first. */
  readonly #partitions = new Map<string, Partition>();
  #warned = false;

  constructor(options: SimilarAnswersOptions) {
    this.#o = options;
  }

  /** The vector of a text, by the caller's own call of the embedding model; null: there is none. */
  async embed(call: OpenCall<ModelHead>, text: string, rules: SemanticRules): Promise<readonly number[] | null> {
    const { caller, requestId, signal, depth, runId } = call;
    const deadlineMs = Math.min(call.deadlineMs, this.#o.clock.now() + EMBED_MS);
    const options = { caller, requestId, signal, deadlineMs, depth: depth + 1, purpose: SEMANTIC_PURPOSE, runId: runId ?? undefined };
    const embed = { model: rules.model, inputs: [text] };
    return this.#orNull(async () => (await this.#o.models().operate("embed", embed, options)).answer.vectors[0] ?? null);
  }

  nearest(partition: string, vector: readonly number[], rules: SemanticRules): Promise<Similar | null> {
    return this.#orNull(async () => {
      const known = this.#partitions.get(partition);
      if (known === undefined || known.dimensions !== vector.length) return null;
      this.#partitions.delete(partition);
      this.#partitions.set(partition, known);
      return known.index.nearest(vector, rules.threshold);
    });
  }

  async add(partition: string, o: { readonly key: string; readonly vector: readonly number[] }, rules: SemanticRules): Promise<void> {
    await this.#orNull(async () => {
      const { index, keys } = await this.#partition(partition, o.vector.length);
      await index.add(o.key, o.vector);
      keys.add(o.key);
      for (const oldest of keys) {
        if (keys.size <= rules.maxEntries) break;
        keys.delete(oldest);
        await index.remove(oldest);
      }
      return null;
    });
  }

  /** The answer is kept no longer. */
  async forget(partition: string, key: string): Promise<void> {
    await this.#orNull(async () => {
      const known = this.#partitions.get(partition);
      if (known?.keys.delete(key) === true) await known.index.remove(key);
      return null;
    });
  }

  async #partition(name: string, dimensions: number): Promise<Partition> {
    const known = this.#partitions.get(name);
    if (known?.dimensions === dimensions) return known;
    const partition = { index: await vectorIndex(dimensions), dimensions, keys: new Set<string>() };
    this.#partitions.set(name, partition);
    for (const oldest of this.#partitions.keys()) {
      if (this.#partitions.size <= MAX_PARTITIONS) break;
      this.#partitions.delete(oldest);
    }
    return partition;
  }

  async #orNull<T>(work: () => Promise<T | null>): Promise<T | null> {
    try {
      return await work();
    } catch (error) {
      const { code, hint } = GatewayError.from(error);
      const level = this.#warned ? "debug" : "warn";
      this.#warned = true;
      this.#o.log[level]("an answer to a similar question could not be looked for", { code, hint });
      return null;
    }
  }
}

/** Errors: `missing_dependency`. */
async function vectorIndex(dimensions: number): Promise<VectorIndex> {
  const { create, insert, remove, searchVector } = await loadOrama();
  // Its own types know lengths of vectors only where they are written out.
  const db = create({ schema: { vector: `vector[${dimensions}]` as "vector[1]" } });
  return {
    async add(key, vector) {
      await remove(db, key);
      await insert(db, { id: key, vector: [...vector] });
    },
    async remove(key) {
      await remove(db, key);
    },
    async nearest(vector, threshold) {
      const { hits } = await searchVector(db, {
        vector: { value: [...vector], property: "vector" },
        similarity: threshold,
        limit: 1,
        mode: "vector",
      });
      const hit = hits[0];
      return hit === undefined ? null : { key: hit.id, similarity: hit.score };
    },
  };
}

async function loadOrama() {
  try {
    return await import("@orama/orama");
  } catch (cause) {
    throw new GatewayError("missing_dependency", "The semantic cache needs the package @orama/orama, which could not be loaded.", {
      hint: "npm install @orama/orama",
      details: { package: "@orama/orama" },
      cause,
    });
  }
}
