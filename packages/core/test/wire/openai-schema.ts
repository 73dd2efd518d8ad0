import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import { expect } from "vitest";
import { readDataText } from "./test-data.js";

/** The vendor's own description of its API, compiled schema by schema: only tests that have the data may ask for one. */
let components: object | null = null;
const compiled = new Map<string, ValidateFunction>();

/** That a value is what OpenAI's OpenAPI description says of `#/components/schemas/<schemaName>`; what is wrong with it is in the failure. */
export function expectValid(schemaName: string, value: unknown): void {
  const validate = schemaOf(schemaName);
  expect(validate(value) ? [] : told(validate.errors ?? [])).toEqual([]);
}

/** Of a choice of many schemas, only what is said by those that were meant, by the value's own `type`. */
function told(errors: readonly ErrorObject[]): string[] {
  const schema = (error: ErrorObject) =>
    `${error.instancePath.replace(/\/type$/, "")} ${/schemas\/[^/]+/.exec(error.schemaPath)?.[0] ?? ""}`;
  const others = new Set(errors.filter((error) => error.keyword === "enum" && error.instancePath.endsWith("/type")).map(schema));
  return errors
    .filter((error) => !others.has(schema(error)))
    .map((error) => `${error.schemaPath}: ${error.instancePath} ${error.message ?? ""} ${JSON.stringify(error.params)}`);
}

export function schemaOf(name: string): ValidateFunction {
  let validate = compiled.get(name);
  if (validate === undefined) {
    const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false });
    validate = ajv.compile({ $id: `https://schemas.test/${name}`, $ref: `#/components/schemas/${name}`, components: readComponents() });
    compiled.set(name, validate);
  }
  return validate;
}

function readComponents(): object {
  components ??= (
    JSON.parse(readDataText("schemas/openai-openapi.json"), (_key, value: unknown) => modern(value)) as { components: object }
  ).components;
  return components;
}

/**
 * Its OpenAPI keywords as JSON Schema has them: `nullable`, of an older edition than it says it is; and choices by a discriminator, of which several may match (a
 * message of the user is an easy one as well).
 */
function modern(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("oneOf" in value && "discriminator" in value) {
    const { oneOf, discriminator: _discriminator, ...schema } = value;
    return { ...schema, anyOf: oneOf };
  }
  if (!("nullable" in value) || value.nullable !== true) return value;
  const { nullable: _nullable, ...schema } = value;
  return { anyOf: [schema, { type: "null" }] };
}
