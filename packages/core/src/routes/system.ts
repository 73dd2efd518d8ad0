import { z } from "zod";
import { restRoute } from "./route.js";

export const systemRoutes = {
  health: restRoute({
    name: "system.health",
    method: "GET",
    path: "/health",
    summary: "Whether the process lives, and what it is connected to. Open, and tells no secret.",
    open: true,
    permission: null,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({
        status: z.enum(["ok", "degraded"]).describe("degraded: a configured MCP server is not connected"),
        version: z.string(),
        uptime_ms: z.int(),
        servers: z.object({ configured: z.int(), connected: z.int() }),
        tools: z.int(),
      }),
    },
    errors: [],
  }),
  ready: restRoute({
    name: "system.ready",
    method: "GET",
    path: "/ready",
    summary: "Whether new requests should be sent here. Open.",
    open: true,
    permission: null,
    output: {
      status: 200,
      kind: "json",
      schema: z.object({ status: z.literal("ready"), counters: z.literal("away").optional(), redis: z.literal("away").optional() }),
    },
    errors: ["shutting_down", "store_unavailable"],
  }),
} as const;
