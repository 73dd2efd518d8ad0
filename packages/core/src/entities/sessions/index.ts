export { message, type MessageEntry } from "./message.js";
export { newSession, sessionChange } from "./session-input.js";
export { session, sessionMcp, sessionMetadata, sessionStatus, type SessionMcp, type SessionRow } from "./session.js";
