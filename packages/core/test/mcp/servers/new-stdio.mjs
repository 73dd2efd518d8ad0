import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { newStory } from "./lines.mjs";

serveStdio(() => newStory(), { legacy: process.argv[2] === "reject" ? "reject" : "serve" });
