import fc from "fast-check";
import { expect, it } from "vitest";
import { ByteWord } from "./byte-word.js";

const letters = fc.string({ unit: fc.constantFrom('"', "_", "Z", "a", "b", "1"), maxLength: 40 });

it("finds a word where a text would, from any place on", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('"', "_", "Z", "a", "b", "1"), minLength: 1, maxLength: 4 }),
      letters,
      fc.nat(45),
      (word, text, from) => {
        const bytes = new TextEncoder().encode(text);
        const at = text.indexOf(word, from);
        expect(new ByteWord(word).indexIn(bytes, from)).toBe(at);
        expect(new ByteWord(word).isIn(bytes)).toBe(text.includes(word));
      },
    ),
  );
});
