import { textAt, type JsonNode } from "./json-scan.js";

export interface ObjectChange {
  /** Members that go, by keys that the plan names. */
  readonly drop?: ((key: string) => boolean) | undefined;
  /** New texts of members' values, by the same keys. */
  readonly replace?: ReadonlyMap<string, string> | undefined;
  /** Members put last: key and JSON text. */
  readonly add?: Iterable<readonly [string, string]> | undefined;
}

/** The text of a scanned object, changed in some of its members; all others stand as they stood, numbers and key order included. */
export function objectText(bytes: Uint8Array, object: JsonNode, change: ObjectChange): string {
  const parts: string[] = [];
  for (const kid of object.kids ?? []) {
    if (kid.key !== "" && change.drop?.(kid.key) === true) continue;
    const text = kid.key === "" ? undefined : change.replace?.get(kid.key);
    const key = textAt(bytes, { start: kid.keyStart, end: kid.start });
    parts.push(key + (text ?? textAt(bytes, kid)));
  }
  for (const [key, text] of change.add ?? []) parts.push(`${JSON.stringify(key)}:${text}`);
  return `{${parts.join(",")}}`;
}
