// One server in the words of both lines of the official SDK. Every tool shows one thing that has to survive the way.
import { z } from "zod";

/** Calls that were cancelled, by their label. */
export const cancelled = new Set();
/** How often each label was run. */
export const ran = new Map();

const content = (text) => ({ content: [{ type: "text", text }] });

/**
 * Registers the same tools, resources and prompts on a server of either line; `line` has what differs.
 * @param {import("@modelcontextprotocol/server").McpServer} server
 */
export function tellStory(server, line) {
  registerSimpleTools(server, line);
  registerLongTools(server, line);
  registerLogs(server, line);
  registerReadings(server, line);
  return server;
}

function registerSimpleTools(server, line) {
  server.registerTool(
    "echo",
    { description: "Echoes", inputSchema: line.input({ text: z.string() }), outputSchema: line.input({ text: z.string() }) },
    ({ text }, extra) => ({
      ...content(text),
      structuredContent: { text },
      _meta: {
        "example.com/seen": line.meta(extra)?.["example.com/mark"] ?? null,
        "example.com/keys": Object.keys(line.meta(extra) ?? {}).sort(),
      },
    }),
  );
  server.registerTool("fail", { description: "Fails", inputSchema: line.input({}) }, () => ({ ...content("it failed"), isError: true }));
  server.registerTool("link", { description: "Points at a resource", inputSchema: line.input({}) }, () => ({
    content: [
      { type: "resource_link", uri: "story://one", name: "one" },
      { type: "resource", resource: { uri: "story://two", text: "inside" } },
    ],
  }));
  server.registerTool("grow", { description: "Adds a tool", inputSchema: line.input({}) }, () => {
    if (!grown.has(server))
      server.registerTool("grown", { description: "Was not there", inputSchema: line.input({}) }, () => content("grown"));
    grown.add(server);
    server.sendToolListChanged();
    return content("ok");
  });
  server.registerTool("touch", { description: "Changes a resource", inputSchema: line.input({}) }, async () => {
    await line.updated(server, "story://one");
    return content("ok");
  });
  server.registerTool("ask", { description: "Asks the caller", inputSchema: line.input({}) }, async (_args, extra) =>
    content(await line.ask(server, extra)),
  );
}

function registerLongTools(server, line) {
  server.registerTool("count", { description: "Tells of progress", inputSchema: line.input({ to: z.number() }) }, async ({ to }, extra) => {
    const progressToken = line.meta(extra)?.progressToken;
    for (let progress = 1; progress <= to; progress++)
      if (progressToken !== undefined)
        await line.notify(extra, {
          method: "notifications/progress",
          params: { progressToken, progress, total: to, message: `step ${progress}` },
        });
    return content(`counted to ${to}`);
  });
  server.registerTool(
    "wait",
    { description: "Never ends by itself", inputSchema: line.input({ label: z.string() }) },
    async ({ label }, extra) => {
      ran.set(label, (ran.get(label) ?? 0) + 1);
      const signal = line.signal(extra);
      await new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener("abort", resolve)));
      cancelled.add(label);
      return content("cancelled");
    },
  );
  server.registerTool(
    "was_cancelled",
    { description: "Whether a wait was cancelled", inputSchema: line.input({ label: z.string() }) },
    ({ label }) => content(JSON.stringify({ ran: ran.get(label) ?? 0, cancelled: cancelled.has(label) })),
  );
}

function registerLogs(server, line) {
  server.registerTool("shout", { description: "Logs", inputSchema: line.input({ level: z.string() }) }, async ({ level }, extra) => {
    await line.notify(extra, { method: "notifications/message", params: { level, data: `said with ${level}` } });
    return content("shouted");
  });
}

function registerReadings(server, line) {
  server.registerResource("one", "story://one", { mimeType: "text/plain" }, (uri) => ({ contents: [{ uri: uri.href, text: "first" }] }));
  server.registerResource(
    "numbered",
    new line.ResourceTemplate("story://n/{number}", { list: undefined, complete: { number: () => ["1", "2"] } }),
    {},
    (uri, { number }) => ({
      contents: [{ uri: uri.href, text: `number ${number}` }],
    }),
  );
  server.registerPrompt(
    "greet",
    { description: "Greets", argsSchema: line.input({ name: line.completable(z.string(), () => ["Ada", "Alan"]) }) },
    ({ name }) => ({
      messages: [
        { role: "user", content: { type: "text", text: `Greet ${name}` } },
        { role: "user", content: { type: "resource_link", uri: "story://one", name: "one" } },
      ],
    }),
  );
}
const grown = new WeakSet();
