import { audio } from "./audio.js";

const { sound, heard } = await audio("The tide turns at noon.");
console.log(`${sound.length} bytes of sound. What was heard: "${heard}"`);
