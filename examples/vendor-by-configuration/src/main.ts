import { vendorByConfiguration } from "./vendor-by-configuration.js";

const { text, costUsd, seen } = await vendorByConfiguration();
console.log(`"${text}" for $${costUsd}`);
console.log(`The server was sent ${JSON.stringify(seen[0]?.body)}`);
