export { hasTokens, OpaqueTokens, type Carrier, type Way } from "./opaque-tokens.js";
export { type HeldCall } from "./held-call.js";
export { ENVELOPE_MARK } from "./sealer.js";
