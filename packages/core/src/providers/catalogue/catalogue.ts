import type { ModelKind, ModelOptions } from "../model.js";
import type { Prices } from "../prices.js";
import { rows, sources } from "./rows.js";

interface Row {
  readonly id: string;
  readonly aliases?: readonly string[];
  readonly name: string;
  readonly kind?: ModelKind;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly reasoning?: boolean;
  readonly tools?: boolean;
  readonly structured?: boolean;
  readonly context?: number;
  readonly maxOutput?: number;
  readonly efforts?: readonly string[];
  readonly sampling?: boolean;
  readonly released?: string;
  readonly deprecated?: boolean;
  /** The day from which the vendor refuses it, and who says so. */
  readonly retires?: string;
  readonly successor?: string;
  readonly ended?: string;
  readonly prices?: Prices;
  readonly from: number;
}

const read = new Map<string, readonly Omit<ModelOptions, "provider">[]>();

/** The catalogue's models of a vendor; empty for one that it does not know. The text is parsed when the vendor is first asked for. */
export function catalogueOf(vendor: string): readonly Omit<ModelOptions, "provider">[] {
  const known = read.get(vendor);
  if (known !== undefined) return known;
  const text = Object.hasOwn(rows, vendor) ? rows[vendor]! : "";
  const models = text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => toModel(JSON.parse(line) as Row));
  read.set(vendor, models);
  return models;
}

function toModel(row: Row): Omit<ModelOptions, "provider"> {
  return {
    code: row.id,
    aliases: row.aliases,
    title: row.name,
    kind: row.kind,
    features: featuresOf(row),
    inputFormats: row.input,
    outputFormats: row.output,
    contextTokens: row.context,
    maxOutputTokens: row.maxOutput,
    efforts: row.efforts,
    fixedSampling: row.sampling === undefined ? undefined : !row.sampling,
    prices: row.prices,
    supportsMcp: row.tools,
    releasedAtMs: row.released === undefined ? undefined : Date.parse(row.released),
    deprecated: row.deprecated ?? (row.retires === undefined ? undefined : true),
    retiresAtMs: row.retires === undefined ? undefined : Date.parse(row.retires),
    successor: row.successor,
    source: row.ended === undefined ? sources[row.from] : `${sources[row.from]}; ${row.ended}`,
  };
}

function featuresOf(row: Row): string[] {
  const features: string[] = [];
  if (row.kind === undefined) features.push("chat", "streaming");
  if (row.tools === true) features.push("tools");
  if (row.input.includes("image")) features.push("vision");
  if (row.reasoning === true) features.push("reasoning");
  if (row.structured === true) features.push("structured-output");
  return features;
}
