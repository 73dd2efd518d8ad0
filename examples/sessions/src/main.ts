import { conversation } from "./conversation.js";

const { markdown, other } = await conversation("sessions.db");
console.log(`${markdown}\nIn the branch: ${other}`);
