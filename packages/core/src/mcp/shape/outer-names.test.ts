import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCoded, isPlain, shownName } from "./outer-names.js";

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();
const shown = (name: string): string => shownName(name, sha256);

/** Names that are easily taken for one another: of one beginning, of one end, of the form that shortening makes. */
const piece = fc.constantFrom(
  "a",
  "b",
  ".",
  "/",
  " ",
  "é",
  "-x",
  "-xaaaaaaaaaaaaaaaaaaaa",
  "server__",
  "x".repeat(41),
  "x".repeat(64),
  "_",
);
const near = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(""));
const name = fc.oneof(near, fc.string({ minLength: 1, maxLength: 200 }), near.map(shown));

describe("a name as it is shown", () => {
  it("is one that every model's API takes", () => {
    fc.assert(
      fc.property(name, (one) => {
        expect(shown(one)).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
      }),
    );
  });

  it("is another one for another name", () => {
    fc.assert(
      fc.property(name, name, (one, other) => {
        expect(shown(one) === shown(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is the name itself when nothing is wrong with it, and is shortened otherwise", () => {
    fc.assert(
      fc.property(name, (one) => {
        expect(shown(one) === one).toBe(isPlain(one));
        expect(isCoded(shown(one))).toBe(!isPlain(one));
      }),
    );
  });

  it("begins as the name does, and does not move between releases", () => {
    expect(shown("github__create_a_pull_request_with_reviewers_and_labels_and_a_milestone")).toBe(
      "github__create_a_pull_request_with_reviewe-xvp4kszkpdwmqq4qtvqwa",
    );
    expect(shown("docs__search.pages")).toBe("docs__search_pages-x7vbcl4ac5heyhy3x3dku");
    expect(shown("github__create_issue")).toBe("github__create_issue");
  });
});
