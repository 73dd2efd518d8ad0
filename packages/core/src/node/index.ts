export { readSecretFile, secretFile } from "./secret-file.js";
export { NodeExchange, type HandlingGateway, type NodeExchangeOptions } from "./serve-answer.js";
export { NodeInbound, readTarget, type NodeInboundOptions } from "./serve-inbound.js";
export { serve, type ServedGateway, type ServeOptions, type ServerSettings, type Serving } from "./serve.js";
export { serveStdio, type PipedGateway, type ServeStdioOptions } from "./serve-stdio.js";
