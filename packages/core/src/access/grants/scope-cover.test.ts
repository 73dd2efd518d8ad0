import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matchesGlob } from "../../util/glob.js";
import { isGranted, mayDo } from "../grants.js";
import { globCovers, globsMeet } from "./glob-cover.js";
import { excessScope, problemOfScope, selectProjects } from "./scope-cover.js";

const glob = fc.string({ unit: fc.constantFrom("a", "b", "/", "*"), maxLength: 6 });
const name = fc.string({ unit: fc.constantFrom("a", "b", "/"), maxLength: 6 });
const what = fc.constantFrom("models", "routes", "mcp", "keys", "audit", "admin", "runs");
const scope = fc
  .tuple(
    fc.boolean(),
    fc.oneof(
      { weight: 1, arbitrary: fc.constant("*") },
      { weight: 9, arbitrary: fc.tuple(what, glob).map(([w, g]) => `${w}:${g || "*"}`) },
    ),
  )
  .map(([denies, plain]) => (denies ? `!${plain}` : plain));
const scopes = fc.array(scope, { maxLength: 5 });
const asked = fc.tuple(
  fc.constantFrom("models", "routes", "mcp", "keys", "audit", "runs"),
  fc.oneof(
    name,
    name.map((n) => `route/${n}`),
    fc.constantFrom("read", "write"),
  ),
);
const runs = { numRuns: 20_000 };

describe("globs", () => {
  it("cover one another only when every name of the inner is one of the outer", () => {
    fc.assert(
      fc.property(glob, glob, name, (outer, inner, some) => {
        if (globCovers(outer, inner) && matchesGlob(inner, some)) expect(matchesGlob(outer, some)).toBe(true);
      }),
      runs,
    );
  });

  it("meet when a name matches both, and only then can they not be told apart", () => {
    fc.assert(
      fc.property(glob, glob, name, (a, b, some) => {
        if (matchesGlob(a, some) && matchesGlob(b, some)) expect(globsMeet(a, b)).toBe(true);
      }),
      runs,
    );
    expect(globsMeet("a*", "b*")).toBe(false);
    expect(globsMeet("a/*", "*/b")).toBe(true);
    expect(globsMeet("abc", "ab")).toBe(false);
  });
});

describe("scopes that a child is given (T05)", () => {
  it("never allow what its maker's do not: no excess is found only for a subset", () => {
    fc.assert(
      fc.property(scopes, scopes, asked, (child, parent, [subject, object]) => {
        if (excessScope(child, parent) === null && isGranted(child, subject, object)) expect(isGranted(parent, subject, object)).toBe(true);
      }),
      { numRuns: 100_000 },
    );
  });

  it("are always covered by themselves", () => {
    fc.assert(
      fc.property(scopes, (own) => void expect(excessScope(own, own)).toBeNull()),
      runs,
    );
  });

  it.each<[string[], string[], string | null]>([
    [["models:openai/*"], ["*"], null],
    [["models:openai/*"], ["models:*"], null],
    [["models:*"], ["models:openai/*"], "models:*"],
    [["*"], ["models:*", "mcp:*"], "*"],
    [["keys:write"], ["admin:read"], "keys:write"],
    [["keys:read"], ["admin:read"], null],
    [["routes:fast"], ["models:route/*"], null],
    [["models:route/fast"], ["routes:fast"], null],
    [["models:*"], ["models:*", "!models:openai/*"], "!models:openai/*"],
    [["models:anthropic/*"], ["models:*", "!models:openai/*"], null],
    [["models:*", "!models:openai/*"], ["models:*", "!models:openai/*"], null],
    [["project:p2", "models:a/b"], ["models:*"], null],
  ])("%j of %j: excess %s", (child, parent, excess) => expect(excessScope(child, parent)).toBe(excess));
});

describe("grants", () => {
  it.each<[string[], string, string, boolean]>([
    [["models:*", "!models:openai/*"], "models", "openai/gpt", false],
    [["!models:openai/*", "models:*"], "models", "openai/gpt", false],
    [["*", "!*"], "models", "a/b", false],
    [["admin:read"], "keys", "read", true],
    [["admin:read"], "keys", "write", false],
    [["admin:*"], "budgets", "write", true],
    [["admin:*"], "models", "openai/gpt", false],
    [["admin:*"], "runs", "write", false],
    [["*", "!admin:write"], "keys", "write", false],
    [["models:*"], "catalogue", "write", false],
    [["mcp:*", "routes:*", "runs:*"], "servers", "write", false],
    [["routes:fast"], "models", "route/fast", true],
    [["models:route/fast"], "models", "route/fast", true],
    [["models:openai/*"], "models", "route/fast", false],
    [["routes:*"], "models", "openai/gpt", false],
    [["*", "!routes:fast"], "models", "route/fast", false],
  ])("%j allow %s:%s: %s", (grants, subject, object, expected) => expect(isGranted(grants, subject, object)).toBe(expected));

  it("are never widened by what narrows them: a bound, a denial, a filter (T19)", () => {
    const projects: [string] = ["p"];
    fc.assert(
      fc.property(scopes, fc.array(scopes, { maxLength: 3 }), asked, (grants, bounds, [subject, object]) => {
        const caller = { kind: "key" as const, id: "k", name: "k", projects, grants, bounds };
        if (!mayDo(caller, subject, object)) return;
        expect(isGranted(grants, subject, object)).toBe(true);
        for (const bound of bounds) expect(isGranted(bound, subject, object)).toBe(true);
        const more = [...grants, `!${subject}:${object.replaceAll("*", "")}`];
        expect(mayDo({ ...caller, grants: more }, subject, object)).toBe(false);
      }),
      { numRuns: 20_000 },
    );
  });
});

it("selects projects by scopes that name them, denials last", () => {
  expect(selectProjects(["models:*"], ["a", "b"])).toBe("none");
  expect(selectProjects(["project:*", "!project:b"], ["a", "b", "c"])).toEqual(["a", "c"]);
  expect(selectProjects(["project:x"], ["a"])).toEqual(["x"]);
  expect(selectProjects(["*"], ["a", "b"])).toBe("none");
});

it("says what is wrong with a scope", () => {
  expect(problemOfScope("models:openai/*")).toBeNull();
  expect(problemOfScope("!admin:write")).toBeNull();
  expect(problemOfScope("modles:openai/*")).toContain("modles");
  expect(problemOfScope("keys:delete")).toContain("delete");
});
