import type { Caller, ToolDefinition } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { ToolCaller } from "../seams/index.js";
import { matchesAnyGlob, matchesGlob } from "../util/glob.js";
import { untilAborted } from "../util/until-aborted.js";

export interface AllowedToolsOptions {
  readonly tools: ToolCaller;
  readonly caller: Caller;
  readonly globs: readonly string[];
  readonly signal: AbortSignal;
  /** Nothing was done yet: what is missing is a mistake, or its server wants the caller to sign in first. */
  readonly isNew: boolean;
}

/**
 * The tools that a run may call. A name or glob that no tool matches is a mistake, which the model could only guess at; later, a server may be down.
 * Errors: `tool_not_found`; `authorization_required` for a server that shows its tools to who is signed in there; the signal's reason.
 */
export async function allowedTools(o: AllowedToolsOptions): Promise<ReadonlyMap<string, ToolDefinition>> {
  const { tools, caller, globs, signal, isNew } = o;
  if (globs.length === 0) return new Map();
  // A server that is slow to answer must not keep a run from being stopped.
  const listed = await untilAborted(tools.list(caller), signal);
  const missing = globs.find((glob) => !/^\*+$/.test(glob) && !listed.some(({ name }) => matchesGlob(glob, name)));
  if (missing !== undefined && isNew) {
    await untilAborted(tools.assertSignedIn(missing, caller), signal);
    throw new GatewayError("tool_not_found", `No tool that the run may call matches "${missing}".`, {
      hint: "Names are server__tool; a server that is down offers none.",
      details: { tool: missing },
    });
  }
  return new Map(listed.filter(({ name }) => matchesAnyGlob(globs, name)).map((tool) => [tool.name, tool]));
}
