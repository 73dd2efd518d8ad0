export { anthropicMessages } from "./anthropic-messages.js";
