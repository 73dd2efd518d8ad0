import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { sqlite } from "@sallyport/adapters-sqlite";
import { Gateway } from "@sallyport/core";
import { secretFile } from "@sallyport/core/node";
import { createApp } from "./app.js";

const folder = process.env["SALLYPORT_DATA"] ?? ".sallyport";
// Vendors' keys and SALLYPORT_OWNER_KEY come from the environment.
const gateway = new Gateway({
  secret: process.env["SALLYPORT_SECRET"] ?? secretFile(`${folder}/secret`), // makes the folder too
  storage: sqlite(`${folder}/sallyport.db`),
  onOwnerKey: (key) => console.log(`Owner key, shown only this once: ${key}`),
});
await gateway.start();

const server = createApp(gateway).listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1");
await once(server, "listening");
const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
console.log(`My own application listens on ${url}, the gateway below ${url}/ai`);

for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.once(signal, () => {
    gateway.drain();
    server.close(() => void gateway.close());
    server.closeIdleConnections();
  });
