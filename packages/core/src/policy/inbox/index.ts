export { editedAt, InboxItems, notPending } from "./inbox-items.js";
