import { codes, type ErrorCode } from "../../errors/index.js";
import { VERSION } from "../../util/version.js";
import { errorsOfEveryRoute, type DialectRoute, type McpRoute, type RestRoute, type Route } from "../route.js";
import { JsonSchemas, type JsonObject } from "./json-schemas.js";

export interface DocumentOptions {
  readonly routes: readonly Route[];
  /** Schemas that get a name, with it. */
  readonly named: readonly {
    readonly schema: Parameters<JsonSchemas["name"]>[0];
    readonly name: string;
    readonly io: "input" | "output";
  }[];
  /** Where the paths begin: the path that the gateway is mounted under. */
  readonly serverUrl: string;
}

/** Where each protocol that is not ours is described. */
const protocolPages: Readonly<Record<string, string>> = {
  "openai-chat": "https://platform.openai.com/docs/api-reference",
  "openai-responses": "https://platform.openai.com/docs/api-reference/responses",
  "anthropic-messages": "https://docs.anthropic.com/en/api/messages",
  "google-genai": "https://ai.google.dev/api",
  mcp: "https://modelcontextprotocol.io/specification",
};

const errorRef = { $ref: "#/components/schemas/Error" };
const errorSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["code", "message", "request_id"],
      properties: {
        code: { type: "string", enum: Object.keys(codes).sort() },
        message: { type: "string" },
        hint: { type: "string" },
        details: { type: "object" },
        request_id: { type: "string" },
      },
    },
  },
};

/**
 * The OpenAPI 3.1 document of these routes: our own with every schema, those of vendors' dialects and of MCP with the name of their protocol and where it is described. Routes that only tell what there is not
 * are left out. The same routes give the same document, byte for byte.
 * Source: https://spec.openapis.org/oas/v3.1.1
 */
export function openApiDocument(o: DocumentOptions): JsonObject {
  const schemas = new JsonSchemas();
  for (const { schema, name, io } of o.named) schemas.name(schema, name, io);
  const paths: Record<string, JsonObject> = {};
  for (const route of o.routes) {
    if (route.last === true) continue;
    const path = route.path.replaceAll("+}", "}");
    (paths[path] ??= {})[route.method.toLowerCase()] = route.face === "rest" ? restOperation(route, schemas) : otherOperation(route);
  }
  const sorted = (object: JsonObject): JsonObject => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
  return {
    openapi: "3.1.1",
    info: {
      title: "Sallyport",
      version: VERSION,
      summary: "An AI and MCP gateway",
      description: "Names on the wire are in snake_case, instants are Unix milliseconds. Every answer carries x-request-id.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: o.serverUrl }],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [...new Set(o.routes.filter(({ last }) => last !== true).map(tagOf))].sort().map((name) => ({ name })),
    paths: sorted(paths),
    components: {
      schemas: sorted({ ...schemas.components, Error: errorSchema }),
      responses: commonResponses,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "a key of this gateway" },
        apiKey: { type: "apiKey", in: "header", name: "x-api-key", description: "the same key" },
      },
    },
  };
}

/** What a route is listed under: the resource, or the protocol. */
export function tagOf(route: Route): string {
  if (route.face === "dialect") return route.protocol;
  if (route.face === "mcp") return "mcp";
  return route.name.split(".")[0] ?? route.name;
}

function common(route: Route): JsonObject {
  return {
    operationId: route.name,
    tags: [tagOf(route)],
    summary: route.summary,
    ...(route.open === true ? { security: [] } : {}),
    ...(route.permission === null ? {} : { "x-sallyport-permission": `${route.permission.what}:${route.permission.name}` }),
  };
}

function restOperation(route: RestRoute, schemas: JsonSchemas): JsonObject {
  const { output, body } = route;
  const contentType = output.kind === "json" ? "application/json" : output.kind === "events" ? "text/event-stream" : output.contentType;
  const answer = schemas.of(output.schema, `${route.name}.output`, "output");
  const wanted = body === undefined ? undefined : schemas.of(body, `${route.name}.body`, "input");
  const bodyTypes = route.method === "PATCH" ? ["application/merge-patch+json", "application/json"] : ["application/json"];
  return {
    ...common(route),
    parameters: parametersOf(route, schemas),
    ...(wanted === undefined
      ? {}
      : {
          requestBody: {
            required: route.bodyOptional !== true,
            content: Object.fromEntries(bodyTypes.map((type) => [type, { schema: wanted }])),
          },
        }),
    responses: {
      [String(output.status)]: {
        description: output.kind === "events" ? "events, as they happen" : "done",
        content: { [contentType]: { schema: answer } },
      },
      ...failuresOf(route),
    },
  };
}

function parametersOf(route: RestRoute, schemas: JsonSchemas): JsonObject[] {
  const parts = [
    ["path", route.params],
    ["query", route.query],
    ["header", route.headers],
  ] as const;
  return parts.flatMap(([place, fields]) => {
    if (fields === undefined) return [];
    const { properties = {}, required = [] } = schemas.of(fields, `${route.name}.${place}`, "input") as {
      properties?: Record<string, JsonObject>;
      required?: string[];
    };
    return Object.entries(properties).map(([name, { description, ...schema }]) => ({
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema,
    }));
  });
}

const errorContent = { content: { "application/json": { schema: errorRef } } };

/** What every closed route may answer with, written once. */
const commonResponses: JsonObject = Object.fromEntries(
  Object.entries(failures(errorsOfEveryRoute)).map(([status, response]) => [`Common${status}`, response]),
);

/** Those of a route: what it has in common with all others by reference. */
function failuresOf(route: RestRoute): JsonObject {
  if (route.open === true) return failures(route.errors);
  const shared = failures(errorsOfEveryRoute);
  const own = failures([...errorsOfEveryRoute, ...route.errors]);
  const same = (status: string): boolean => JSON.stringify(own[status]) === JSON.stringify(shared[status]);
  return Object.fromEntries(
    Object.entries(own).map(([status, response]) => [status, same(status) ? { $ref: `#/components/responses/Common${status}` } : response]),
  );
}

/** One answer a status, naming the codes that have it. */
function failures(given: readonly ErrorCode[]): JsonObject {
  const byStatus = new Map<number, Set<ErrorCode>>();
  for (const code of given) {
    const { status } = codes[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries(
    [...byStatus].map(([status, named]) => [String(status), { description: [...named].sort().join(", "), ...errorContent }]),
  );
}

/** What is not ours is described by whom it belongs to. */
function otherOperation(route: DialectRoute | McpRoute): JsonObject {
  const protocol = tagOf(route);
  const names = [...route.path.matchAll(/\{(\w+)(\+)?\}/g)];
  return {
    ...common(route),
    "x-sallyport-protocol": protocol,
    externalDocs: { description: `the protocol: ${protocol}`, url: protocolPages[protocol] },
    parameters: names.map(([, name, rest]) => ({
      name,
      in: "path",
      required: true,
      ...(rest === undefined ? {} : { description: "the rest of the path, with its slashes" }),
      schema: { type: "string" },
    })),
    ...(route.method === "POST" && route.face === "dialect"
      ? { requestBody: { description: "as the protocol has it", content: { "application/json": { schema: {} } } } }
      : {}),
    responses: { default: { description: "as the protocol has it, errors too" } },
  };
}
