import { z } from "zod";
import { newKeyBody, newProjectBody, newUserBody } from "../admin/access-inputs.js";

/** What a domain declares by hand where a creation takes other fields than the row has: an entity with such a row registers `create` in `seams.resources`, which is given the body as it was checked here. */
export interface OwnInput {
  /** In snake_case, strict. */
  readonly create: z.ZodObject;
  /** What the creation answers with beside the view: shown only then. */
  readonly shownOnce?: Readonly<Record<string, z.ZodType>>;
}

/** By the entity's name. */
export const ownInputs: Readonly<Record<string, OwnInput>> = {
  gatewayKey: { create: newKeyBody, shownOnce: { key: z.string().describe("the key itself, shown only now") } },
  user: { create: newUserBody },
  project: { create: newProjectBody },
};
