export { crypto } from "./node-crypto.js";
export { clock } from "./system-clock.js";
export { files } from "./node-files.js";
export { httpClient, type HttpClientOptions } from "./http/undici-client.js";
export { writeLine } from "./write-line.js";
export { stdioSpawner } from "./stdio/stdio-spawner.js";
export { processLabel } from "./process-label.js";
