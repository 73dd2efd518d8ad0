import { z } from "zod";
import { isWellFormed } from "../../util/well-formed.js";
import { sessionMcp, sessionMetadata } from "./session.js";

const text = (most: number) => z.string().min(1).max(most).refine(isWellFormed, "half a surrogate pair is no text");
const changeable = {
  title: text(200).nullable().optional(),
  model: text(200).nullable().optional().describe("provider/model or route/name; has to be one that the caller may call"),
  instructions: text(1_048_576).nullable().optional().describe("the system message of every turn"),
  mcp: sessionMcp.optional(),
  metadata: sessionMetadata.optional(),
};
/** What a session is made with. */
export const newSession = z.strictObject({ ...changeable, userId: text(100).optional(), agentId: text(64).optional() });
/** What people change of one; what is left out stays. */
export const sessionChange = z.strictObject({ ...changeable, pinned: z.array(z.int().min(1)).max(100).optional() });
