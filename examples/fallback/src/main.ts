import { fallback } from "./fallback.js";

const { text, model, attempts } = await fallback();
console.log(`"${text}", said ${model} at attempt ${attempts}`);
