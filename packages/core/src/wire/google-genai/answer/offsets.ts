const encoder = new TextEncoder();

/** The place of a byte of a text's UTF-8 in its UTF-16 code units. Inside a character it is the character's beginning; behind the end it is the end. */
export function utf16Offset(text: string, bytes: number): number {
  let units = 0;
  let passed = 0;
  for (const character of text) {
    const size = sizeOf(character.codePointAt(0) as number);
    if (passed + size > bytes) return units;
    passed += size;
    units += character.length;
  }
  return units;
}

/** The place of a UTF-16 code unit of a text in the bytes of its UTF-8. */
export function utf8Offset(text: string, units: number): number {
  return encoder.encode(text.slice(0, units)).length;
}

/** A lone surrogate is sent as U+FFFD. */
function sizeOf(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
