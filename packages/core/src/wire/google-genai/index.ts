export { googleGenai } from "./google-genai.js";
