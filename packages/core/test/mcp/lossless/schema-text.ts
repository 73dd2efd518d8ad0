import fc from "fast-check";

/** The keywords that the protocol's own schemas use. */
export interface Schema {
  readonly $ref?: string;
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}
export interface SchemaFile {
  readonly $defs: Readonly<Record<string, Schema>>;
}
/** Key and JSON text of a member. */
export type Member = readonly [key: string, text: string];

/** Texts that a parser and a writer would not give back as they were. */
const fragileNumbers = ["1.0", "-0", "1e400", "12345678901234567890123", "0.1000", "1E-7", "9007199254740993"];
const fragileStrings = ['"\\u0041\\/"', '"é\\ud83d\\ude00"', '"\u2028"', '""', '"\\u0000"'];
const anyString = fc.oneof(
  fc.constantFrom(...fragileStrings),
  fc.string({ maxLength: 12 }).map((text) => JSON.stringify(text)),
);
const anyNumber = fc.oneof(
  fc.constantFrom(...fragileNumbers),
  fc.integer().map((n) => String(n)),
);
/** Any JSON, in no writer's style. */
export const anyJson = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2 },
    anyString,
    anyNumber,
    fc.constantFrom("null", "true", "{ }", "[ ]"),
    fc.array(tie("value"), { maxLength: 2 }).map((items) => `[ ${items.join(" ,")}]`),
    fc
      .uniqueArray(fc.tuple(fc.constantFrom("2", "1", "__proto__", "constructor", "id", "uri", "é"), tie("value")), {
        maxLength: 2,
        selector: ([key]) => key,
      })
      .map((members) => written(members)),
  ),
})).value;
/** What no revision knows today. Never a key that means something to a hop. */
const unknownMembers: fc.Arbitrary<readonly Member[]> = fc.uniqueArray(
  fc.tuple(fc.constantFrom("x-later", "example.com/mark", "__proto__", "toString", "Ünknown"), anyJson),
  { maxLength: 2, selector: ([key]) => key },
);
const DEEPEST = 4;

export function written(members: readonly Member[]): string {
  return `{${members.map(([key, text]) => `${JSON.stringify(key)} :${text}`).join(", ")} }`;
}

/** JSON text of what the protocol's schema allows, with members that it does not name, in any order. */
export class SchemaTexts {
  readonly #defs: SchemaFile["$defs"];
  constructor(file: SchemaFile) {
    this.#defs = file.$defs;
  }

  /** The members of an object of this definition; `fixed` ones as given, undefined: left out. */
  members(definition: string, fixed: Readonly<Record<string, string | undefined>> = {}): fc.Arbitrary<readonly Member[]> {
    return this.#members(this.#defs[definition] ?? {}, 0, fixed);
  }

  #text(schema: Schema, depth: number): fc.Arbitrary<string> {
    if (schema.$ref !== undefined) return this.#text(this.#defs[schema.$ref.replace("#/$defs/", "")] ?? {}, depth);
    if (schema.const !== undefined) return fc.constant(JSON.stringify(schema.const));
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum.map((value) => JSON.stringify(value)));
    const choices = schema.anyOf;
    if (choices !== undefined) return fc.oneof(...choices.map((choice) => this.#text(choice, depth + 1)));
    switch (typeof schema.type === "string" || schema.type === undefined ? schema.type : schema.type[0]) {
      case "string":
        return schema.format === "uri"
          ? fc.nat(99).map((n) => `"test:\\/\\/${n}"`)
          : schema.format === "byte"
            ? fc.base64String({ maxLength: 16 }).map((text) => JSON.stringify(text))
            : anyString;
      case "number":
      case "integer":
        return schema.maximum === undefined ? anyNumber : fc.constantFrom(String(schema.minimum ?? 0), "0.50", `${schema.maximum}.0`);
      case "boolean":
        return fc.constantFrom("true", "false");
      case "null":
        return fc.constant("null");
      case "array":
        return depth > DEEPEST
          ? fc.constant("[ ]")
          : fc.array(this.#text(schema.items ?? {}, depth + 1), { maxLength: 2 }).map((items) => `[${items.join(" , ")}]`);
      case "object":
        return this.#members(schema, depth, {}).map(written);
      default:
        return schema.properties === undefined && schema.allOf === undefined ? anyJson : this.#members(schema, depth, {}).map(written);
    }
  }

  #members(given: Schema, depth: number, fixed: Readonly<Record<string, string | undefined>>): fc.Arbitrary<readonly Member[]> {
    const schema = this.#merged(given);
    const required = new Set(schema.required);
    const named = Object.entries(schema.properties ?? {})
      .filter(([key]) => (required.has(key) || depth <= DEEPEST) && !(key in fixed))
      .map(([key, inner]) => {
        const member = this.#text(inner, depth + 1).map((text): readonly Member[] => [[key, text]]);
        return required.has(key) ? member : fc.oneof(fc.constant<readonly Member[]>([]), member);
      });
    const kept = Object.entries(fixed).flatMap(([key, text]): Member[] => (text === undefined ? [] : [[key, text]]));
    return fc
      .tuple(fc.tuple(...named), unknownMembers)
      .chain(([members, unknown]) =>
        fc.shuffledSubarray([...kept, ...members.flat(), ...unknown], { minLength: kept.length + members.flat().length + unknown.length }),
      );
  }

  #merged(schema: Schema): Schema {
    if (schema.$ref !== undefined) return this.#merged(this.#defs[schema.$ref.replace("#/$defs/", "")] ?? {});
    const parts = (schema.allOf ?? []).map((part) => this.#merged(part));
    return {
      properties: Object.assign({}, ...parts.map((part) => part.properties), schema.properties) as Record<string, Schema>,
      required: [...parts.flatMap((part) => part.required ?? []), ...(schema.required ?? [])],
    };
  }
}
