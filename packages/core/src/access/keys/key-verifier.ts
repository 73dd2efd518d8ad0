import { GatewayError } from "../../errors/index.js";

/** Checks a key against a hash that another system made of it. */
export interface KeyVerifier {
  /** What rows name it by: `bcrypt`, `argon2id`, … */
  readonly scheme: string;
  /** Whether the hash was made of what was presented. A throw counts as no, and is logged by its kind alone. */
  verify(presented: string, hash: string): boolean | Promise<boolean>;
}

const bcryptForm = /^\$2[abxy]\$\d{2}\$[./A-Za-z0-9]{53}$/;

/** The scheme that a hash shows by its form; null: it has to be said. */
export function schemeOf(hash: string): string | null {
  return bcryptForm.test(hash) ? "bcrypt" : null;
}

/** bcrypt by `@node-rs/bcrypt`, off the event loop. Errors: `missing_dependency`. */
export const bcryptVerifier: KeyVerifier = {
  scheme: "bcrypt",
  async verify(presented, hash) {
    const { verify } = await load();
    return verify(presented, hash);
  },
};

async function load(): Promise<typeof import("@node-rs/bcrypt")> {
  try {
    return await import("@node-rs/bcrypt");
  } catch (cause) {
    throw new GatewayError("missing_dependency", "Keys with a bcrypt hash need the package @node-rs/bcrypt.", {
      hint: "npm install @node-rs/bcrypt",
      cause,
    });
  }
}
