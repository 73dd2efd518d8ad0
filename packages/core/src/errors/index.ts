export { codes, type Blame, type CodeRow, type ErrorCode } from "./codes.js";
export { GatewayError, type GatewayErrorOptions } from "./gateway-error.js";
export { headersOf, tellHeaders } from "./error-headers.js";
