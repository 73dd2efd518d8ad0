import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { serve as serveHono } from "@hono/node-server";
import { serve } from "@sallyport/core/node";
import { mount } from "@sallyport/host-express";
import compression from "compression";
import express from "express";
import helmet from "helmet";
import { Hono } from "hono";
import { hostContract, type Hosted } from "./host-contract.js";

async function listening(server: Server, path: string): Promise<Hosted> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    send: (request) => fetch(request),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

hostContract("serve on bare node:http", async (gateway) => {
  const serving = await serve(gateway, { port: 0 });
  return { base: serving.url, send: (request) => fetch(request), close: () => serving.close() };
});

hostContract("Express 5, mounted at a sub-path after json, compression and helmet", (gateway) => {
  const app = express();
  app.use(compression({ threshold: 0 }), express.json({ limit: "50mb" }), helmet());
  app.use("/platform/llm-gateway", mount(gateway));
  return listening(createServer(app), "/platform/llm-gateway");
});

hostContract("Express 5, mounted at the root before anything else", (gateway) => {
  const app = express();
  app.use(mount(gateway));
  app.use(express.json());
  return listening(createServer(app), "");
});

hostContract("Express 5, in a router within a router", (gateway) => {
  const outer = express.Router();
  const inner = express.Router();
  inner.use("/gateway", mount(gateway));
  outer.use("/b", inner);
  const app = express();
  app.use(
    helmet(),
    compression(),
    express.json({ limit: "50mb", verify: (request, _response, bytes) => void Object.assign(request, { rawBody: bytes }) }),
  );
  app.use("/a", outer);
  return listening(createServer(app), "/a/b/gateway");
});

async function hono(app: Hono, path: string): Promise<Hosted> {
  const server = await new Promise<Server>((resolve) => {
    const starting = serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () => resolve(starting as Server));
  });
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    send: (request) => fetch(request),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

hostContract("Hono, mounted with its own mount", (gateway) => hono(new Hono().mount("/ai", gateway.fetch.bind(gateway)), "/ai"));

hostContract("Hono, as a route that keeps the prefix", (gateway) =>
  hono(
    new Hono().all("/ai/*", (c) => gateway.fetch(c.req.raw, { basePath: "/ai" })),
    "/ai",
  ),
);

hostContract("gateway.fetch alone", (gateway) =>
  Promise.resolve({ base: "http://localhost", send: (request) => gateway.fetch(request), close: () => Promise.resolve() }),
);
