import type MiniSearch from "minisearch";
import type { Caller, ToolDefinition } from "../../calls/index.js";
import { GatewayError } from "../../errors/index.js";
import type { FoundTool } from "../../seams/index.js";

interface Document {
  readonly id: number;
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly arguments: string;
}
interface Index {
  readonly search: MiniSearch<Document>;
  readonly tools: readonly ToolDefinition[];
}

/** Longer texts say nothing more of what a tool is for. */
const MAX_TEXT = 4_000;
/** Indexes are kept for callers who see different tools; the oldest is dropped. */
const MAX_INDEXES = 16;
const FIELDS = ["name", "title", "description", "arguments"] as const;
/** Words of a tool's name say most. */
const BOOST = { name: 4, title: 3, description: 1, arguments: 0.5 };

/**
 * Finds tools by the words of a question (BM25 over names, titles, descriptions and the names of arguments), with prefixes and single slips of the keyboard. No model is asked and nothing leaves the process: equal
 * questions of equal tools find the same, in the same order.
 */
export class ToolSearch {
  readonly #toolsOf: (caller: Caller) => Promise<readonly ToolDefinition[]>;
  /** By the definitions that they hold, in their order. */
  readonly #indexes = new Map<string, Index>();

  constructor(toolsOf: (caller: Caller) => Promise<readonly ToolDefinition[]>) {
    this.#toolsOf = toolsOf;
  }

  /** Errors: `missing_dependency`. */
  async find(query: string, o: { readonly caller: Caller; readonly limit: number }): Promise<readonly FoundTool[]> {
    const index = await this.#indexOf(await this.#toolsOf(o.caller));
    const found = index.search.search(query, {
      boost: BOOST,
      prefix: (term) => term.length > 2,
      fuzzy: (term) => (term.length > 4 ? 0.2 : false),
      combineWith: "OR",
    });
    const best = found[0]?.score ?? 0;
    return found
      .map(({ id, score, match }) => ({ tool: index.tools[id as number]!, score: best === 0 ? 0 : round(score / best), why: whyOf(match) }))
      .sort((a, b) => b.score - a.score || (a.tool.name < b.tool.name ? -1 : 1))
      .slice(0, o.limit);
  }

  async #indexOf(tools: readonly ToolDefinition[]): Promise<Index> {
    const key = keyOf(tools);
    const known = this.#indexes.get(key);
    if (known !== undefined) {
      // Last used, last dropped.
      this.#indexes.delete(key);
      this.#indexes.set(key, known);
      return known;
    }
    const { default: Search } = await import("minisearch").catch((cause: unknown) => {
      throw new GatewayError("missing_dependency", "The search of tools needs the package minisearch, which could not be loaded.", {
        cause,
        hint: "npm install minisearch",
      });
    });
    const search = new Search<Document>({ fields: [...FIELDS], tokenize: wordsOf });
    search.addAll(tools.map(documentOf));
    const index = { search, tools };
    this.#indexes.set(key, index);
    for (const oldest of this.#indexes.keys()) {
      if (this.#indexes.size <= MAX_INDEXES) break;
      this.#indexes.delete(oldest);
    }
    return index;
  }
}

const numbers = new WeakMap<ToolDefinition, number>();
let next = 1;
/** Definitions are the same objects as long as nothing changed. */
function keyOf(tools: readonly ToolDefinition[]): string {
  return tools
    .map((tool) => {
      const known = numbers.get(tool);
      if (known !== undefined) return known;
      numbers.set(tool, next);
      return next++;
    })
    .join();
}

function documentOf(tool: ToolDefinition, id: number): Document {
  const properties = (tool.inputSchema as { readonly properties?: unknown } | undefined)?.properties;
  const names = typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
  const cut = (text: string | undefined): string => (text ?? "").slice(0, MAX_TEXT);
  return { id, name: tool.name, title: cut(tool.title), description: cut(tool.description), arguments: cut(names.join(" ")) };
}

/** `readTextFile`, `read_text_file` and `read text file` are the same words. */
function wordsOf(text: string): string[] {
  const apart = text.replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, "$1 $2");
  return apart
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== "");
}

function whyOf(match: Readonly<Record<string, readonly string[]>>): string {
  const words = Object.entries(match).map(([word, fields]) => `"${word}" in its ${[...fields].sort().join(" and ")}`);
  return words.length === 0 ? "" : `It has ${words.sort().join(", ")}.`;
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}
