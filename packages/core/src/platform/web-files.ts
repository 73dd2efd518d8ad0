import { GatewayError } from "../errors/index.js";

const refuse = (path: string): Promise<never> =>
  Promise.reject(
    new GatewayError("misconfigured", `This runtime has no files: "${path}" cannot be read or written.`, {
      hint: "Run it on Node, Bun or Deno.",
    }),
  );

export const files = { read: refuse, write: refuse };
