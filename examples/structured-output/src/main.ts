import { structuredOutput } from "./structured-output.js";

console.log(await structuredOutput("Grace Hopper, 37"));
