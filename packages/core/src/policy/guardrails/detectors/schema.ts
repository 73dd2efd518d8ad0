import type { JsonObject } from "../../../calls/index.js";
import type { GuardrailSettings } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Judge, JudgedText, Judgement } from "../judge.js";
import { loadPeer } from "./peers.js";

/** A schema is code that somebody else wrote: what is larger is refused before it is compiled. */
const MAX_DEPTH = 64;
const MAX_NODES = 10_000;
const MAX_BYTES = 262_144;
/** Of a schema that came with a call. */
const MAX_DECLARED_NODES = 2_000;
const MAX_DECLARED_BYTES = 65_536;
const MAX_CHARS = 1_000_000;
const KEPT = 200;

type Check = (value: unknown) => boolean;
interface Compiled {
  (value: unknown): boolean;
  readonly errors?: readonly { readonly instancePath: string; readonly keyword: string }[] | null;
}

/**
 * Holds JSON against JSON Schema 2020-12 by ajv: without references to other documents, patterns on an engine of linear time, no larger than 64 deep, 10,000 parts and 256 KB.
 * Errors: `missing_dependency`; `validation_failed` for what is no schema, or too large.
 */
export async function schemaJudge(settings: GuardrailSettings<"schema">): Promise<Judge> {
  const compile = await compiler();
  const own = settings.schema === undefined ? null : compile(settings.schema as JsonObject, MAX_NODES);
  const declared = new Map<string, Compiled>();
  const checkOf = ({ declared: schema }: JudgedText): Compiled | null => {
    if (!settings.declared || schema === undefined) return own;
    const key = JSON.stringify(schema);
    if (key.length > MAX_DECLARED_BYTES) throw invalid(`of a tool is larger than ${MAX_DECLARED_BYTES} bytes`);
    let check = declared.get(key);
    if (check === undefined) {
      if (declared.size >= KEPT) declared.delete(declared.keys().next().value!);
      declared.set(key, (check = compile(schema, MAX_DECLARED_NODES)));
    }
    return check;
  };
  return {
    onError: "block",
    maxChars: MAX_CHARS,
    judge: (texts) =>
      Promise.resolve(
        texts.flatMap((text, index): Judgement[] => {
          const check = checkOf(text);
          const pattern = check === null ? null : faultOf(text.text, check);
          return pattern === null ? [] : [{ index, type: "schema", pattern, confidence: 1 }];
        }),
      ),
  };
}

/** Where and what is wrong, never the value; null: nothing is. */
function faultOf(text: string, check: Compiled): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text === "" ? "{}" : text);
  } catch {
    return "no JSON";
  }
  if (check(value)) return null;
  const [first] = check.errors ?? [];
  return `${first?.instancePath === "" ? "/" : (first?.instancePath ?? "/")}: ${first?.keyword ?? "schema"}`.slice(0, 200);
}

async function compiler(): Promise<(schema: JsonObject, maxNodes: number) => Compiled> {
  const { Ajv2020 } = await loadPeer("ajv", () => import("ajv/dist/2020.js"));
  const { RE2JS } = await loadPeer("re2js", () => import("re2js"));
  // Only `test` is ever called of what it makes; `code` names it in code that is written to a file, which is not done here.
  const regExp = Object.assign(
    (pattern: string): { test: Check; toString(): string } => {
      const program = RE2JS.compile(pattern);
      // By its name ajv knows one pattern from another.
      return { test: (value) => program.matcher(String(value)).find(), toString: () => pattern };
    },
    { code: "linear" },
  );
  return (schema, maxNodes) => {
    refuseLarge(schema, maxNodes);
    const ajv = new Ajv2020({
      strict: false,
      validateFormats: false,
      allErrors: false,
      addUsedSchema: false,
      code: { regExp: regExp as never },
    });
    try {
      return ajv.compile(schema) as Compiled;
    } catch (error) {
      throw invalid(error instanceof Error ? error.message.slice(0, 300) : "is no schema");
    }
  };
}

function refuseLarge(schema: JsonObject, maxNodes: number): void {
  let nodes = 0;
  const count = (value: unknown, depth: number): void => {
    if (++nodes > maxNodes) throw invalid(`has more than ${maxNodes} parts`);
    if (depth > MAX_DEPTH) throw invalid(`is nested deeper than ${MAX_DEPTH}`);
    if (typeof value !== "object" || value === null) return;
    for (const inner of Object.values(value)) count(inner, depth + 1);
  };
  count(schema, 0);
  if (JSON.stringify(schema).length > MAX_BYTES) throw invalid(`is larger than ${MAX_BYTES} bytes`);
}

function invalid(why: string): GatewayError {
  return new GatewayError("validation_failed", `settings.schema: ${why}`, { details: { field: "settings.schema" } });
}
