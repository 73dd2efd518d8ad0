import type { Config } from "../../config/schema.js";
import type { Snapshot } from "../../config/snapshot.js";
import { rateLimit, type GatewayKeyRow, type LimitSubject, type RateLimitRow } from "../../entities/index.js";
import type { Demand } from "../../ports/index.js";
import { matchesGlob } from "../../util/glob.js";

const MINUTE_MS = 60_000;
/** Subjects whose limits are remembered; names of tools are callers' words. */
const MAX_KNOWN = 10_000;

const measures = ["requestsPerMinute", "tokensPerMinute", "concurrency"] as const;
type Measure = (typeof measures)[number];
type Amounts = { readonly [K in Measure]?: number | null | undefined };

/** What limits one subject; the parts of demands that are the same for every call. */
export interface SubjectLimits {
  readonly subject: LimitSubject;
  readonly id: string;
  readonly requests: Demand | null;
  readonly tokens: Omit<Demand, "cost"> | null;
  readonly concurrency: { readonly key: string; readonly max: number } | null;
}

/** The limits of one kind of subject. */
class SubjectRules {
  readonly #subject: LimitSubject;
  /** By the subject's id, the first to count first. */
  readonly #exact = new Map<string, Amounts[]>();
  #globs: { readonly glob: string; readonly amounts: Amounts }[] = [];
  readonly #known = new Map<string, SubjectLimits | null>();
  /** Of subjects with several names, by their lists. */
  readonly #named = new WeakMap<readonly string[], SubjectLimits | null>();

  constructor(subject: LimitSubject) {
    this.#subject = subject;
  }

  add(id: string, amounts: Amounts): void {
    if (!id.includes("*")) this.#exact.set(id, [...(this.#exact.get(id) ?? []), amounts]);
    else {
      this.#globs.push({ glob: id, amounts });
      this.#globs.sort((a, b) => b.glob.length - a.glob.length);
    }
  }

  of(id: string): SubjectLimits | null {
    let limits = this.#known.get(id);
    if (limits === undefined) {
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      this.#known.set(id, (limits = this.#compile([id])));
    }
    return limits;
  }

  /** Counted under the first name, whichever of them rules are about. */
  ofNamed(names: readonly string[]): SubjectLimits | null {
    let limits = this.#named.get(names);
    if (limits === undefined) this.#named.set(names, (limits = this.#compile(names)));
    return limits;
  }

  #compile(names: readonly string[]): SubjectLimits | null {
    const id = names[0]!;
    const found = names.flatMap((name) => this.#exact.get(name) ?? []);
    for (const { glob, amounts } of this.#globs) if (names.some((name) => matchesGlob(glob, name))) found.push(amounts);
    const first = (measure: Measure): number | null => {
      for (const amounts of found) {
        const amount = amounts[measure];
        if (typeof amount === "number") return amount;
      }
      return null;
    };
    const [requests, tokens, concurrency] = [first("requestsPerMinute"), first("tokensPerMinute"), first("concurrency")];
    if (requests === null && tokens === null && concurrency === null) return null;
    const subject = this.#subject;
    const key = `limit:${subject}:${id}`;
    return {
      subject,
      id,
      requests: requests === null ? null : { key: `${key}:requests`, cost: 1, limit: requests, windowMs: MINUTE_MS },
      tokens: tokens === null ? null : { key: `${key}:tokens`, limit: tokens, windowMs: MINUTE_MS },
      concurrency: concurrency === null ? null : { key: `${key}:calls`, max: concurrency },
    };
  }
}

/** Every limit of a snapshot, by kind of subject. */
export class LimitRules {
  readonly #bySubject = new Map<LimitSubject, SubjectRules>();

  get isEmpty(): boolean {
    return this.#bySubject.size === 0;
  }

  add(subject: LimitSubject, id: string, amounts: Amounts): void {
    if (measures.every((measure) => typeof amounts[measure] !== "number")) return;
    let rules = this.#bySubject.get(subject);
    if (rules === undefined) this.#bySubject.set(subject, (rules = new SubjectRules(subject)));
    rules.add(id, amounts);
  }

  /** Appends what limits this subject, if anything does. */
  find(subject: LimitSubject, id: string | undefined, into: SubjectLimits[]): void {
    const limits = id === undefined ? undefined : this.#bySubject.get(subject)?.of(id);
    if (limits !== undefined && limits !== null) into.push(limits);
  }

  /** The same of a subject that goes by several names, its own first. */
  findNamed(subject: LimitSubject, names: readonly string[], into: SubjectLimits[]): void {
    const limits = this.#bySubject.get(subject)?.ofNamed(names) ?? null;
    if (limits !== null) into.push(limits);
  }
}

/** What of a key says how much it may use. */
type LimitedKey = Pick<GatewayKeyRow, "id"> & { readonly rateLimit?: Amounts | null | undefined };

interface Compiled {
  readonly rows: readonly RateLimitRow[];
  readonly keys: Snapshot["keys"];
  readonly config: Config;
  readonly rules: LimitRules | null;
}

/** The rules of the newest snapshot that was looked at; null: nothing is limited. Compiled again only when something that they are made of changed. */
export class CurrentRules {
  #compiled: Compiled | null = null;

  of(snapshot: Snapshot): LimitRules | null {
    const rows = snapshot.records.of(rateLimit);
    const { keys, config } = snapshot;
    const known = this.#compiled;
    if (known !== null && known.rows === rows && known.keys === keys && known.config === config) return known.rules;
    const rules = compile(rows, keys.values(), config);
    this.#compiled = { rows, keys, config, rules: rules.isEmpty ? null : rules };
    return this.#compiled.rules;
  }
}

function compile(rows: readonly RateLimitRow[], keys: Iterable<LimitedKey>, config: Config): LimitRules {
  const rules = new LimitRules();
  // What a key itself says counts before what is said of it.
  for (const { id, rateLimit: own } of keys) if (own !== null && own !== undefined) rules.add("key", id, own);
  for (const row of rows) if (row.enabled) rules.add(row.subject, row.subject === "global" ? "*" : row.subjectId, row);
  rules.add("key", "*", config.limits.perKey);
  return rules;
}
