import type { JsonObject } from "../../routes/index.js";
import { exampleValue } from "./example-value.js";

export const docsStyle = `:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:0;display:grid;grid-template-columns:15rem 1fr}
nav{position:sticky;top:0;align-self:start;max-height:100vh;overflow:auto;padding:1rem;box-sizing:border-box}nav a{display:block;padding:.1rem 0}
main{padding:1rem 2rem;max-width:60rem;min-width:0}details{border-top:1px solid #8884;padding:.4rem 0}summary{cursor:pointer}
code,pre{font:13px/1.45 ui-monospace,monospace}pre{overflow:auto;padding:.6rem;background:#8881;border-radius:4px}table{border-collapse:collapse}
td,th{text-align:left;padding:.15rem .8rem .15rem 0;vertical-align:top}.method{display:inline-block;width:4.5rem;font-weight:600}.muted{opacity:.7}
@media(max-width:50rem){body{display:block}nav{position:static;max-height:none}}`;

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly of: JsonObject;
}

/** The document as one page without scripts: every route by its tag, with its parameters, schemas and an example; then the schemas. */
export function docsPage(document: JsonObject): string {
  const { paths, components, info } = document as unknown as {
    paths: Record<string, Record<string, JsonObject>>;
    components: { schemas: JsonObject };
    info: { title: string; version: string; description: string };
  };
  const operations: Operation[] = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, of]) => ({ method: method.toUpperCase(), path, of })),
  );
  const tags = (document["tags"] as { name: string }[]).map(({ name }) => name);
  const sections = tags.map((tag) => {
    const own = operations.filter(({ of }) => (of["tags"] as string[])[0] === tag);
    return `<section id="${attribute(tag)}"><h2>${text(tag)}</h2>${own.map((one) => operationPart(one, components.schemas)).join("")}</section>`;
  });
  const schemas = Object.entries(components.schemas).map(
    ([name, schema]) => `<details id="schema-${attribute(name)}"><summary><code>${text(name)}</code></summary>${json(schema)}</details>`,
  );
  const links = [...tags, "schemas"].map((tag) => `<a href="#${attribute(tag)}">${text(tag)}</a>`);
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${text(info.title)} API</title><style>${docsStyle}</style></head>
<body><nav><strong>${text(info.title)} ${text(info.version)}</strong><a href="openapi.json">openapi.json</a>${links.join("")}</nav>
<main><h1>${text(info.title)} API</h1><p>${text(info.description)}</p>${sections.join("\n")}<section id="schemas"><h2>schemas</h2>${schemas.join("\n")}</section></main></body></html>
`;
}

function operationPart({ method, path, of }: Operation, schemas: JsonObject): string {
  const permission = of["x-sallyport-permission"] as string | undefined;
  const open = Array.isArray(of["security"]);
  const needs = open ? "open" : permission === undefined ? "any credential" : `needs ${permission}`;
  const external = of["externalDocs"] as { url: string; description: string } | undefined;
  return `<details id="${attribute(of["operationId"])}"><summary><span class="method">${method}</span><code>${text(path)}</code> <span class="muted">${text(needs)}</span></summary>
<p>${text(of["summary"])}</p>${external === undefined ? "" : `<p>As in <a href="${attribute(external.url)}" rel="noreferrer">${text(external.description)}</a>.</p>`}${parametersPart(of)}${bodyPart(of)}${answersPart(of)}
<h4>Example</h4><pre>${text(curl({ method, path, of }, schemas))}</pre></details>`;
}

function parametersPart(of: JsonObject): string {
  const parameters = (of["parameters"] ?? []) as {
    name: string;
    in: string;
    required: boolean;
    description?: string;
    schema: JsonObject;
  }[];
  if (parameters.length === 0) return "";
  const rows = parameters.map(
    ({ name, in: place, required, description, schema }) =>
      `<tr><td><code>${text(name)}</code></td><td>${text(place)}</td><td>${required ? "required" : ""}</td><td><code>${text(JSON.stringify(schema))}</code></td><td>${text(description ?? "")}</td></tr>`,
  );
  return `<h4>Parameters</h4><table>${rows.join("")}</table>`;
}

function bodyPart(of: JsonObject): string {
  const content = (of["requestBody"] as { content?: Record<string, { schema: JsonObject }> } | undefined)?.content ?? {};
  return Object.entries(content)
    .map(([type, { schema }]) => `<h4>Body <span class="muted">${text(type)}</span></h4>${schemaPart(schema)}`)
    .join("");
}

function answersPart(of: JsonObject): string {
  const responses = of["responses"] as Record<
    string,
    { $ref?: string; description?: string; content?: Record<string, { schema: JsonObject }> }
  >;
  const rows = Object.entries(responses).map(([status, { $ref, description, content = {} }]) => {
    if ($ref !== undefined)
      return `<tr><td>${text(status)}</td><td class="muted">as every route</td><td>${schemaPart({ $ref: "#/components/schemas/Error" })}</td></tr>`;
    const schemas = Object.values(content).map(({ schema }) => schemaPart(schema));
    return `<tr><td>${text(status)}</td><td>${text(description ?? "")}</td><td>${schemas.join("")}</td></tr>`;
  });
  return `<h4>Answers</h4><table>${rows.join("")}</table>`;
}

function schemaPart(schema: JsonObject): string {
  const name = typeof schema["$ref"] === "string" ? schema["$ref"].split("/").at(-1)! : null;
  return name === null ? json(schema) : `<a href="#schema-${attribute(name)}"><code>${text(name)}</code></a>`;
}

function curl({ method, path, of }: Operation, schemas: JsonObject): string {
  const content = (of["requestBody"] as { content?: Record<string, { schema: JsonObject }> } | undefined)?.content;
  const [type, body] = Object.entries(content ?? {})[0] ?? [];
  const lines = [`curl -X ${method} "$SALLYPORT_URL${path}"`];
  if (!Array.isArray(of["security"])) lines.push('-H "Authorization: Bearer $SALLYPORT_KEY"');
  if (type !== undefined && body !== undefined)
    lines.push(`-H "Content-Type: ${type}"`, `-d '${JSON.stringify(exampleValue(body.schema, schemas)).replaceAll("'", "'\\''")}'`);
  return lines.join(" \\\n  ");
}

function json(value: unknown): string {
  const written = text(JSON.stringify(value, null, 1));
  const linked = written.replace(/#\/components\/schemas\/(\w+)/g, '<a href="#schema-$1">$1</a>');
  return `<pre>${linked}</pre>`;
}

/** For what stands between tags and in attributes alike. */
function text(value: unknown): string {
  return String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
const attribute = text;
