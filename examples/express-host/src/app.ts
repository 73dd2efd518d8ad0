import compression from "compression";
import express, { type Express } from "express";
import helmet from "helmet";
import type { Gateway } from "@sallyport/core";
import { mount } from "@sallyport/host-express";

/** Your application as it was, with its middleware for every route, and one line more: the gateway under /ai. */
export function createApp(gateway: Gateway): Express {
  const app = express();
  app.use(helmet(), compression(), express.json());
  app.get("/", (_request, response) => void response.send("My own application"));
  app.use("/ai", mount(gateway)); // OpenAI, MCP and REST faces below /ai
  return app;
}
