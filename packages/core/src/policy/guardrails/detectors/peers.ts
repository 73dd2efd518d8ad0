import { GatewayError } from "../../../errors/index.js";

/** Loads a package that only guardrails of one kind need. Errors: `missing_dependency` naming the install command. */
export async function loadPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    throw new GatewayError("missing_dependency", `This guardrail needs the package ${name}, which could not be loaded.`, {
      hint: `npm install ${name}`,
      details: { package: name },
      cause,
    });
  }
}
