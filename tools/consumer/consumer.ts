// Type-checked by check-packages.mjs in an empty folder, against the packed tarballs: what a user's strict project sees.
import { Gateway } from "@sallyport/core";
import { sqlite } from "@sallyport/adapters-sqlite";
import { mount } from "@sallyport/host-express";
import { createClient } from "@sallyport/core/client";
import express from "express";

const gateway = new Gateway({ storage: sqlite("consumer.db"), providers: { openai: { apiKey: "sk-none" } } });
const run = gateway.run({ model: "demo/echo", input: "hello", tools: ["demo__*"] });
for await (const event of run) console.log(event.type);
const text: string = (await run).text;
const response: Response = run.toResponse();
express().use("/ai", mount(gateway));
console.log(text, response.status);
const client = createClient({ baseUrl: "http://127.0.0.1:3000/ai", key: "spk_none" });
const version: number | null = (await client.routes.get("route_none")).version;
const created: string | undefined = (await client.keys.create({ name: "mine", scopes: ["models:demo/*"] })).key;
console.log(version, created);
await gateway.close();
