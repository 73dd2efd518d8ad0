export { type BranchOptions } from "./branch-session.js";
export { type ExportFormat } from "./export-session.js";
export { SessionDomain, type SessionDomainOptions } from "./session-domain.js";
export { type NewSession, type SessionChange } from "./session-input.js";
export { type MessageQuery, type StoredMessage } from "./session-records.js";
export { Sessions, type AppendOptions, type Appended, type SessionQuery } from "./sessions.js";
