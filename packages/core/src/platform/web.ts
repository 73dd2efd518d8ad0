export { crypto } from "./web-crypto.js";
export { clock } from "./system-clock.js";
export { files } from "./web-files.js";
export { httpClient, type HttpClientOptions } from "./http/fetch-client.js";
export { writeLine } from "./write-line.js";
export { stdioSpawner } from "./stdio/no-spawner.js";
export { processLabel } from "./no-process-label.js";
