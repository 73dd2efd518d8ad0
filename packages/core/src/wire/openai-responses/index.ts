export { openaiResponses } from "./openai-responses.js";
