import { MODERN_VERSION } from "../frames/protocol.js";
import type { Agreement } from "../lanes/handshake.js";

/** What a document's tools are known to be without being asked. */
export const OPENAPI_AGREEMENT: Agreement = {
  era: "modern",
  version: MODERN_VERSION,
  capabilities: { tools: {} },
  serverInfo: { name: "sallyport-openapi", version: "1" },
  instructions: null,
};
