export { GatewaySecrets, type GatewaySecretsOptions } from "./gateway-secrets.js";
export { type Resealed } from "./reseal.js";
export { Redactor } from "./redactor.js";
