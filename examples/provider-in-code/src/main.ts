import { providerInCode } from "./provider-in-code.js";

const { text, inputTokens, plain, vectors } = await providerInCode();
console.log(`With a tool: "${text}", ${inputTokens} tokens read. Without: "${plain}". ${vectors.length} vectors.`);
