export { authEvent, authEventKinds, type AuthEventKind, type AuthEventRow } from "./auth-event.js";
export { gatewayKey, keyRateLimit, plainKey, scopeList, scopeText, type GatewayKeyRow, type KeyRateLimit } from "./gateway-key.js";
export { persona, personaSchema, type PersonaRow, type PersonaRules } from "./persona.js";
export { project, projectId, type ProjectRow } from "./project.js";
export { bindingScopes, role, roleBinding, type RoleBindingRow, type RoleRow } from "./role.js";
export { team, type TeamRow } from "./team.js";
export { user, username, type UserRow } from "./user.js";
export { signInState, webSession, type SignInStateRow, type WebSessionRow } from "./web-session.js";
