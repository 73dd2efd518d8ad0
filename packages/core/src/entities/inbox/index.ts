export { inboxItem, inboxKind, inboxStatus, type InboxItemRow, type InboxKind, type InboxStatus } from "./inbox-item.js";
export { interrupt, type InterruptRow } from "./interrupt.js";
