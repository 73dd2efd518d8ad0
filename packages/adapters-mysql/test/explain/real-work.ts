import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Gateway } from "@sallyport/core";
import { mysql } from "../../src/index.js";

const openapi = fileURLToPath(new URL("../../../../docs/reference/openapi.json", import.meta.url));
const ownerKey = "owner-of-the-explained-4c1d8f0b7a2e9635";

interface Parameter {
  readonly in: string;
  readonly name: string;
  readonly schema?: { readonly enum?: readonly string[]; readonly type?: string };
}
interface Document {
  readonly paths: Readonly<Record<string, { readonly get?: { readonly parameters?: readonly Parameter[] } }>>;
}

const sampleOf = ({ name, schema }: Parameter): string => {
  if (schema?.enum !== undefined) return String(schema.enum[0]);
  if (schema?.type === "boolean") return "true";
  if (schema?.type === "integer" || schema?.type === "number") return "7";
  return /from|to|since|until|start|end|date|after|before/.test(name) ? new Date(Date.now() - 3_600_000).toISOString() : "default";
};

/** They change what is shown, or how much, and never the statement. */
const same = /^(limit|cursor|format|page|page_size|offset|per_page|include|fields|q)$/;

/** Every reading route, once plain and once with each of its parameters: what people and consoles ask. */
function readings(): string[] {
  const { paths } = JSON.parse(readFileSync(openapi, "utf8")) as Document;
  return Object.entries(paths).flatMap(([path, { get }]) => {
    // The resource routes stand under two names each.
    if (get === undefined || path.startsWith("/api/v1/list/") || /\/events$|\/mcp$|\/sse$|login|docs|openapi/.test(path)) return [];
    const place = path.replaceAll(/\{\w+\}/g, "default");
    const asked = (get.parameters ?? []).filter((parameter) => parameter.in === "query" && !same.test(parameter.name));
    return [place, ...asked.map((parameter) => `${place}?${parameter.name}=${encodeURIComponent(sampleOf(parameter))}`)];
  });
}

const posts: readonly (readonly [path: string, body: unknown])[] = [
  ["/api/v1/add/user", { username: "ada", password: "correct horse battery" }],
  ["/api/v1/add/project", { id: "p1", name: "p1" }],
  ["/api/v1/add/team", { name: "t1" }],
  ["/api/v1/add/budget", { scope: "project", scope_id: "default", amount_usd: "5", period: "day" }],
  ["/api/v1/add/gateway-api-key", { name: "k", scopes: ["models:*"] }],
  ["/api/v1/add/alert-rule", { name: "a", metric: "error_rate", condition: "gt", threshold: 0.5 }],
  ["/v1/chat/completions", { model: "demo/chat", messages: [{ role: "user", content: "hi" }] }],
  ["/v1/responses", { model: "demo/chat", input: "hi", store: true }],
  ["/v1/responses", { model: "demo/chat", input: "hi", background: true, store: true }],
  ["/api/v1/runs", { model: "demo/chat", input: "hi" }],
  ["/api/v1/sessions", { title: "s" }],
  ["/api/v1/login", { username: "ada", password: "correct horse battery" }],
  ["/api/v1/login", { username: "ada", password: "wrong" }],
];

/** What a gateway does in its life, on one database. Gives the routes that answered with an error of the gateway. */
export async function realWork(url: string): Promise<string[]> {
  const gateway = new Gateway({ storage: mysql(url), ownerKey });
  const failed: string[] = [];
  const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${ownerKey}` };
    const response = await gateway.fetch(new Request(`http://localhost${path}`, { ...init, headers }));
    const text = await response.text();
    if (response.status >= 500 && response.status !== 503) failed.push(`${path} ${response.status} ${text.slice(0, 300)}`);
    return response.headers.get("content-type")?.includes("application/json") === true ? JSON.parse(text) : text;
  };
  gateway.tasks.handle("explained", async () => ({ done: true }));
  await gateway.start();
  try {
    for (const [path, body] of posts) await ask(path, { method: "POST", body: JSON.stringify(body) });
    const task = await gateway.tasks.create({ type: "explained", payload: {} });
    for (let i = 0; i < 100 && (await gateway.tasks.get(task.id))?.status !== "succeeded"; i++)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const paths = readings();
    for (let from = 0; from < paths.length; from += 16) await Promise.all(paths.slice(from, from + 16).map((path) => ask(path)));
  } finally {
    await gateway.close();
  }
  return failed;
}
