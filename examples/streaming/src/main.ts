import { streaming } from "./streaming.js";

const { pieces, outputTokens } = await streaming((piece) => process.stdout.write(piece));
console.log(`\n${pieces} pieces, ${outputTokens} tokens`);
