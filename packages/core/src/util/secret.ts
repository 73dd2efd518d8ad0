const values = new WeakMap<Secret, string>();
const inspectCustom = Symbol.for("nodejs.util.inspect.custom");

/** A value that must not be shown: it prints as `***` wherever it is turned to text or JSON. Only `reveal()` gives it, at the place of use. */
export class Secret {
  constructor(value: string) {
    values.set(this, value);
  }
  reveal(): string {
    return values.get(this) as string;
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
