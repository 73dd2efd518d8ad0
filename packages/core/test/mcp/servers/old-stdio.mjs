import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { oldStory } from "./lines.mjs";

await oldStory().connect(new StdioServerTransport());
