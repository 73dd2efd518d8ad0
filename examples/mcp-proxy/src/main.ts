import { randomBytes } from "node:crypto";
import { serve } from "@sallyport/core/node";
import { createProxy } from "./mcp-proxy.js";

const ownerKey = process.env["SALLYPORT_OWNER_KEY"] ?? randomBytes(24).toString("base64url");
const gateway = await createProxy({ folder: process.cwd(), ownerKey });
const serving = await serve(gateway, { signals: true });
console.log(`MCP:  ${serving.url}/mcp\nKey:  ${ownerKey}`);
for (const tool of await gateway.mcp.tools()) console.log(`      ${tool.name}`);
