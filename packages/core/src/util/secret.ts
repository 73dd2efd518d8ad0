import { GatewayError } from "../errors/index.js";

const values = new WeakMap<Secret, string | null>();
const references = new WeakMap<Secret, string>();
const revisions = new WeakMap<Secret, number>();
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/** A value that must not be shown: it prints as `***` wherever it is turned to text or JSON. Only `reveal()` gives it, at the place of use. */
export class Secret {
  constructor(value: string) {
    values.set(this, value);
  }

  /** A secret that stands elsewhere, under `reference` (`env:NAME`, `file:/path`, …): it has no value until it is given one. */
  static at(reference: string): Secret {
    const secret = new Secret("");
    values.set(secret, null);
    references.set(secret, reference);
    return secret;
  }

  /** Where it stands; null: nowhere else. */
  get reference(): string | null {
    return references.get(this) ?? null;
  }

  /** The value that the reference leads to now: whoever holds this secret sees the new one. Only for one that has a reference. */
  resolveTo(value: string): void {
    if (!references.has(this) || values.get(this) === value) return;
    values.set(this, value);
    revisions.set(this, this.revision + 1);
  }

  /** How often its value became another one: what is made of the value is made anew when this grew. */
  get revision(): number {
    return revisions.get(this) ?? 0;
  }

  /** Errors: `misconfigured` for a reference that was not resolved yet. */
  reveal(): string {
    const value = values.get(this);
    if (value !== null && value !== undefined) return value;
    throw new GatewayError("misconfigured", `The secret ${this.reference ?? ""} has not been read from where it stands.`, {
      hint: "Start the gateway first: `await gateway.start()`.",
    });
  }
  toString(): string {
    return "***";
  }
  toJSON(): string {
    return "***";
  }
  [inspectCustom](): string {
    return "***";
  }
}
