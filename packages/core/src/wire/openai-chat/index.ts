export { openaiChat } from "./openai-chat.js";
