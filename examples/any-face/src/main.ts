import { anyFace } from "./any-face.js";

const { openai, google, anthropic, paths } = await anyFace();
console.log(`OpenAI's SDK: "${openai}". Google's: "${google}". Anthropic's, with a tool: "${anthropic}".`);
console.log(`The server was asked at ${paths.join(", ")}.`);
