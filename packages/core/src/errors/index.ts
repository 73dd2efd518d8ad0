export { codes, type Blame, type CodeRow, type ErrorCode } from "./codes.js";
export { GatewayError, type GatewayErrorOptions } from "./gateway-error.js";
