// What differs between the two lines of the official SDK when a server is written.
import { McpServer as NewServer, ResourceTemplate as NewTemplate, completable as newCompletable } from "@modelcontextprotocol/server";
import { completable as oldCompletable } from "@modelcontextprotocol/sdk/server/completable.js";
import { McpServer as OldServer, ResourceTemplate as OldTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { z } from "zod";
import { tellStory } from "./story.mjs";

const info = { name: "story", version: "1" };
const capabilities = {
  logging: {},
  resources: { subscribe: true, listChanged: true },
  tools: { listChanged: true },
  prompts: { listChanged: true },
};

const v1 = {
  input: (shape) => shape,
  meta: (extra) => extra._meta,
  signal: (extra) => extra.signal,
  notify: (extra, notification) => extra.sendNotification(notification),
  updated: (server, uri) => server.server.sendResourceUpdated({ uri }),
  ask: async (server) => {
    try {
      return JSON.stringify(
        await server.server.elicitInput({ message: "Your name?", requestedSchema: { type: "object", properties: {} } }),
      );
    } catch (error) {
      return `refused: ${error.message}`;
    }
  },
  ResourceTemplate: OldTemplate,
  completable: oldCompletable,
};
const v2 = {
  input: (shape) => z.object(shape),
  meta: (extra) => extra.mcpReq._meta,
  signal: (extra) => extra.mcpReq.signal,
  notify: (extra, notification) => extra.mcpReq.notify(notification),
  updated: (server, uri) => server.server.sendResourceUpdated({ uri }),
  ask: async () => "not asked",
  ResourceTemplate: NewTemplate,
  completable: newCompletable,
};

export function oldStory() {
  const server = tellStory(new OldServer(info, { capabilities, instructions: "An old story." }), v1);
  answerSubscriptions(server.server, "old");
  return server;
}
export function newStory() {
  const server = tellStory(new NewServer(info, { capabilities, instructions: "A new story." }), v2);
  answerSubscriptions(server.server, "new");
  return server;
}

/** Both lines leave subscriptions to the author of a server. */
function answerSubscriptions(server, line) {
  const methods = ["resources/subscribe", "resources/unsubscribe"];
  if (line === "new") for (const method of methods) server.setRequestHandler(method, () => ({}));
  else {
    for (const method of methods) server.setRequestHandler(z.looseObject({ method: z.literal(method) }), () => ({}));
  }
}
