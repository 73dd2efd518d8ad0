import { firstCall } from "./first-call.js";

const { text } = await firstCall((line) => console.log(line));
console.log(text);
