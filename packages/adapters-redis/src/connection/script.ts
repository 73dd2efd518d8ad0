import { createHash } from "node:crypto";
import type { Argument } from "./client.js";
import type { Send } from "./link.js";

/** A Lua script. It is sent whole only to a server that does not know it. */
export class Script {
  readonly #text: string;
  readonly #sha: string;

  constructor(text: string) {
    this.#text = text;
    this.#sha = createHash("sha1").update(text).digest("hex");
  }

  async run(send: Send, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    try {
      return await send(["EVALSHA", this.#sha, ...rest]);
    } catch (error) {
      if (!(error instanceof Error && error.message.includes("NOSCRIPT"))) throw error;
      return send(["EVAL", this.#text, ...rest]);
    }
  }
}
