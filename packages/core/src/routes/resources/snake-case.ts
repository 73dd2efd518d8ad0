/** How a field of TypeScript is called on the wire: `createdAtMs` is `created_at_ms`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The same for types; names that are not known beforehand (those of a record) stay as they are. */
export type Snake<S extends string> = S extends `${infer First}${infer Rest}`
  ? First extends Lowercase<First>
    ? `${First}${Snake<Rest>}`
    : `_${Lowercase<First>}${Snake<Rest>}`
  : S;

/** A value as it is on the wire: every declared name in snake_case, at every depth. */
export type OnWire<T> = T extends readonly (infer Item)[]
  ? OnWire<Item>[]
  : T extends object
    ? { -readonly [K in keyof T as K extends string ? (string extends K ? K : Snake<K>) : K]: OnWire<T[K]> }
    : T;
