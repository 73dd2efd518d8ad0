import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { codes } from "../errors/index.js";
import { allRoutes, fromMessage, messageSchema, toMessage, type RestRoute } from "./index.js";

describe("the table of routes", () => {
  it("names every route once, and every method of a path once", () => {
    expect(new Set(allRoutes.map(({ name }) => name)).size).toBe(allRoutes.length);
    expect(new Set(allRoutes.map(({ method, path }) => `${method} ${path}`)).size).toBe(allRoutes.length);
  });

  it("leaves open only what an orchestrator asks, what describes the API, and what signs in and out", () => {
    const signIn = ["/api/v1/login", "/api/v1/logout", "/api/v1/login/oidc/{name}", "/api/v1/login/oidc/{name}/callback"];
    // A browser that was sent to sign the gateway in somewhere has no key; what it brings is checked against the one sign-in that it is for.
    const browsers = [
      "/api/v1/admin/oauth/callback",
      "/api/v1/oauth/sign-in/{ticket}",
      "/api/v1/oauth/sign-in/{ticket}",
      "/oauth/client-metadata",
    ];
    const place = "/.well-known/oauth-protected-resource";
    const metadata = [place, `${place}/mcp`, `${place}/ns/{namespace}/mcp`];
    const open = allRoutes.filter((route) => route.open === true).map(({ path }) => path);
    expect(open).toEqual([...signIn, "/health", "/ready", "/openapi.json", "/docs", ...browsers, ...metadata]);
  });

  it("asks a permission for every closed route of our own face", () => {
    const rest = allRoutes.filter((route): route is RestRoute => route.face === "rest" && route.open !== true);
    // Any caller may: each of these is here for a reason, and a new route is not among them by accident (T04).
    // One's own sign-in at a server that each caller signs in at; that of all callers is refused further in.
    const signIns = ["start", "show", "ingest", "reacquire", "remove"].map((verb) => `mcp.oauth.${verb}`);
    // Tools are narrowed by the caller's grants over them, as over MCP.
    const tools = ["mcp.tools", "mcp.servers", "mcp.execute", "mcp.search"];
    const proxied = ["tools.call", "tools.list", "resources.read", "resources.list", "prompts.get", "prompts.list"].map(
      (name) => `mcp.proxy.${name}`,
    );
    const anyCaller = [
      "auth.me",
      "auth.password",
      ...tools,
      ...proxied,
      "list.unknown",
      "add.unknown",
      "update.unknown",
      "replace.unknown",
      "del.unknown",
    ];
    const found = rest.filter(({ permission }) => permission === null).map(({ name }) => name);
    expect(found.filter((name) => !signIns.includes(name))).toEqual(anyCaller);
    expect(found).toEqual(expect.arrayContaining(signIns));
  });

  it("has every creation heed Idempotency-Key", () => {
    const creations = allRoutes.filter((route): route is RestRoute => route.face === "rest" && route.output.status === 201);
    expect(creations.length).toBeGreaterThan(10);
    for (const { name, headers } of creations) expect([name, Object.keys(headers?.shape ?? {})]).toEqual([name, ["idempotency-key"]]);
  });

  it("names only errors that there are", () => {
    for (const { errors } of allRoutes) for (const code of errors) expect(Object.keys(codes)).toContain(code);
  });

  it("has paths of our own face in kebab-case, and a schema for each of their parameters", () => {
    for (const route of allRoutes) {
      if (route.face !== "rest") continue;
      if (route.path === "/openapi.json" || route.path.startsWith("/.well-known/")) continue; // names by convention, and by RFC 8615
      expect(route.path).toMatch(/^(\/[a-z0-9]+(-[a-z0-9]+)*|\/\{[a-z_]+\})+$/);
      const parameters = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect(Object.keys(route.params?.shape ?? {})).toEqual(parameters);
    }
  });

  it("can be written down as JSON Schema, every field in snake_case", () => {
    const names = (schema: unknown): string[] =>
      typeof schema !== "object" || schema === null
        ? []
        : Object.entries(schema).flatMap(([key, value]) => [
            ...(key === "properties" && typeof value === "object" ? Object.keys(value as object) : []),
            ...names(value),
          ]);
    for (const route of allRoutes) {
      if (route.face !== "rest") continue;
      const inputs = [route.params, route.query, route.body].flatMap((schema) =>
        schema === undefined ? [] : [z.toJSONSchema(schema, { io: "input" })],
      );
      const output = z.toJSONSchema(route.output.schema, { io: "output" });
      const given = route.path === "/mcp/tools" || route.path === "/mcp/servers/add" ? ["inputSchema", "mcpServers"] : [];
      for (const name of names([...inputs, output])) if (!given.includes(name)) expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    }
  });
});

describe("messages on the wire", () => {
  const text = fc.string();
  const media = fc.record(
    {
      type: fc.constant("media" as const),
      media_type: fc.constantFrom("image/png", "image/*", "application/pdf"),
      source: fc.oneof(
        fc.record({ kind: fc.constant("url" as const), url: fc.webUrl() }),
        fc.record({ kind: fc.constant("base64" as const), data: fc.base64String() }),
        fc.record({ kind: fc.constant("file" as const), id: fc.string({ minLength: 1 }) }),
      ),
      filename: fc.string({ maxLength: 255 }),
    },
    { requiredKeys: ["type", "media_type", "source"] },
  );
  const textPart = fc.record({ type: fc.constant("text" as const), text });
  const id = fc.string({ minLength: 1 });
  const assistantPart = fc.oneof(
    textPart,
    media,
    fc.record({ type: fc.constant("refusal" as const), text }),
    fc.record({ type: fc.constant("reasoning" as const), text, opaque: text }, { requiredKeys: ["type", "text"] }),
    fc.record({ type: fc.constant("tool_call" as const), id, name: id, arguments: text }),
  );
  const result = fc.record(
    { type: fc.constant("tool_result" as const), call_id: id, content: fc.array(fc.oneof(textPart, media)), is_error: fc.boolean() },
    { requiredKeys: ["type", "call_id", "content"] },
  );
  const message = fc.oneof(
    fc.record({ role: fc.constantFrom("system" as const, "developer" as const), content: fc.array(textPart) }),
    fc.record(
      { role: fc.constant("user" as const), content: fc.array(fc.oneof(textPart, media)), name: text },
      { requiredKeys: ["role", "content"] },
    ),
    fc.record(
      { role: fc.constant("assistant" as const), content: fc.array(assistantPart), name: text },
      { requiredKeys: ["role", "content"] },
    ),
    fc.record({ role: fc.constant("tool" as const), content: fc.array(result, { minLength: 1 }) }),
  );

  it("come back as they were sent: nothing of them is lost in neutral shape", () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(fromMessage(toMessage(messageSchema.parse(sent)))).toEqual(sent);
      }),
    );
  });

  it("may be text alone where there is only text", () => {
    for (const role of ["system", "developer", "user", "assistant"] as const)
      expect(toMessage(messageSchema.parse({ role, content: "hi" }))).toEqual({ role, content: [{ type: "text", text: "hi" }] });
  });
});
