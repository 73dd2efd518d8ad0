import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Caller } from "../../calls/index.js";
import { plainKey, role, roleBinding, team, user, type GatewayKeyRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { crypto } from "../../platform/node.js";
import { mayDo } from "../grants.js";
import { KeyIndex } from "./key-index.js";
import { makeKey, parseKey, shownPrefix } from "./key-format.js";
import { assertMayMake } from "./key-rules.js";

const kept = { version: 1, createdAtMs: 0, updatedAtMs: 0 };
function key(id: string, o: Partial<GatewayKeyRow> = {}): GatewayKeyRow {
  return {
    ...plainKey,
    ...kept,
    id: `key_${id}`,
    name: id,
    kind: "key",
    digest: "0".repeat(64),
    projectId: "p1",
    scopes: [],
    environment: "live",
    ...o,
  };
}
const indexOf = (rows: readonly GatewayKeyRow[], records: Parameters<typeof recordsOf>[0] = {}) =>
  new KeyIndex(new Map(rows.map((row) => [row.id, row])), recordsOf(records));
function recordsOf(rows: Readonly<Record<string, readonly object[]>>) {
  return { of: (entity: { readonly name: string }) => (rows[entity.name] ?? []) as never[] };
}

const what = fc.constantFrom("models", "mcp", "keys", "admin", "runs");
const glob = fc.constantFrom("*", "a/*", "a/b", "read", "write", "a*");
const scope = fc
  .tuple(fc.boolean(), fc.tuple(what, glob), fc.boolean())
  .map(([denies, [w, g], all]) => `${denies ? "!" : ""}${all ? "*" : `${w}:${g}`}`);
const link = fc.record({
  scopes: fc.array(scope, { maxLength: 4 }),
  expiresAtMs: fc.option(fc.integer({ min: 1, max: 100 })),
  projects: fc.subarray(["project:p1", "project:p2", "project:p3"]),
  projectId: fc.constantFrom("p1", "p2", "p3"),
  enabled: fc.boolean().map((off) => !off || true),
});
const asked = fc.tuple(fc.constantFrom("models", "mcp", "keys", "runs"), fc.constantFrom("a/b", "a/c", "read", "write", "x"));

describe("a chain of keys (T05)", () => {
  it("never may at its end what any of its links may not: in scopes, projects and time, whatever was written into the rows", () => {
    fc.assert(
      fc.property(fc.array(link, { minLength: 2, maxLength: 5 }), asked, (links, [subject, object]) => {
        const rows = links.map(({ scopes, projects, projectId, expiresAtMs }, i) =>
          key(String(i), { scopes: [...scopes, ...projects], projectId, expiresAtMs, parentId: i === 0 ? null : `key_${i - 1}` }),
        );
        const index = indexOf(rows);
        const child = index.usable(rows.at(-1)!.id);
        if (child === null) return;
        for (const row of rows) {
          const parent = index.usable(row.id);
          expect(parent).not.toBeNull();
          for (const project of child.caller.projects) expect(parent!.caller.projects).toContain(project);
          expect(child.untilMs).toBeLessThanOrEqual(parent!.untilMs);
          if (mayDo(child.caller, subject, object)) expect(mayDo(parent!.caller, subject, object)).toBe(true);
        }
      }),
      { numRuns: 15_000 },
    );
  });

  it("that was allowed to be made stays within its maker when the maker is narrowed afterwards", () => {
    fc.assert(
      fc.property(link, link, link, asked, (maker, child, later, [subject, object]) => {
        const parent = key("0", { scopes: [...maker.scopes, "keys:write"], projectId: maker.projectId });
        const before = indexOf([parent]).usable(parent.id);
        if (before === null) return;
        const powers = {
          scopes: child.scopes,
          projectId: child.projectId,
          expiresAtMs: child.expiresAtMs,
          rateLimit: null,
          userId: null,
          teamId: null,
        };
        if (!allowed(() => assertMayMake(powers, before.caller, indexOf([parent])))) return;
        const made = key("1", { ...powers, parentId: parent.id });
        const ofMade = indexOf([parent, made]).usable(made.id)!;
        // What was allowed at minting needs no bound: by itself it is within its maker.
        const alone: Caller = { ...ofMade.caller, bounds: undefined };
        if (mayDo(alone, subject, object)) expect(mayDo(before.caller, subject, object)).toBe(true);
        const narrowed = { ...parent, scopes: later.scopes };
        const now = indexOf([narrowed, made]);
        const [p, c] = [now.usable(parent.id), now.usable(made.id)];
        if (c !== null && mayDo(c.caller, subject, object)) expect(p !== null && mayDo(p.caller, subject, object)).toBe(true);
      }),
      { numRuns: 20_000 },
    );
  });

  it("ends when any of its links is gone, disabled or revoked, and when it is a ring", () => {
    const rows = [
      key("0", { scopes: ["*"] }),
      key("1", { scopes: ["*"], parentId: "key_0" }),
      key("2", { scopes: ["*"], parentId: "key_1" }),
    ];
    expect(indexOf(rows).usable("key_2")).not.toBeNull();
    for (let i = 0; i < 3; i++) {
      expect(indexOf(rows.filter((_, at) => at !== i)).usable("key_2")).toBeNull();
      expect(indexOf(rows.map((row, at) => (at === i ? { ...row, enabled: false } : row))).usable("key_2")).toBeNull();
      expect(indexOf(rows.map((row, at) => (at === i ? { ...row, revokedAtMs: 1 } : row))).usable("key_2")).toBeNull();
    }
    expect(indexOf([key("0", { scopes: ["*"], parentId: "key_0" })]).usable("key_0")).toBeNull();
  });
});

describe("rows that somebody spoilt in the store (T47)", () => {
  it("allow nothing, and leave the others as they are", () => {
    const odd = fc.oneof(
      fc.constant("*"),
      fc.constant(null),
      fc.constant({ 0: "*", length: 1 }),
      fc.constant([["*"]]),
      fc.constant([null]),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(odd, (scopes) => {
        const own = Array.isArray(scopes) && scopes.every((one) => typeof one === "string");
        const rows = [
          key("0", { scopes: ["models:a/b"] }),
          key("1", { scopes: scopes as never }),
          key("2", { scopes: ["models:a/b"], parentId: "key_1" }),
        ];
        const custom = { ...kept, id: "role_1", projectId: "p1", name: "r", description: null, scopes };
        const index = indexOf(rows, { [role.name]: [custom] });
        expect(mayDo(index.usable("key_0")!.caller, "models", "a/b")).toBe(true);
        if (own) return;
        expect([index.usable("key_1"), index.usable("key_2")]).toEqual([null, null]);
        expect(index.people.scopesOf("role_1", "p1")).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a user's rights", () => {
  const person = (id: string, projectId: string) => ({
    ...kept,
    id,
    projectId,
    username: id,
    name: null,
    email: null,
    enabled: true,
    passwordHash: null,
    externalId: null,
    lastLoginAtMs: null,
    sessionsFromMs: 0,
  });
  const binding = (id: string, o: object) => ({ ...kept, id, createdBy: null, ...o });
  const custom = { ...kept, id: "role_1", projectId: "p2", name: "all", description: null, scopes: ["*"] };

  it("hold where they were given, and a custom role only in its own project", () => {
    const records = {
      [user.name]: [person("user_a", "p1")],
      [team.name]: [{ ...kept, id: "team_1", projectId: "p3", name: "t", description: null }],
      [role.name]: [custom],
      [roleBinding.name]: [
        binding("b1", { projectId: "p1", userId: "user_a", role: "viewer", scope: "project", scopeId: "p1" }),
        binding("b2", { projectId: "p1", userId: "user_a", role: "role_1", scope: "project", scopeId: "p1" }),
        binding("b3", { projectId: "p2", userId: "user_a", role: "role_1", scope: "project", scopeId: "p2" }),
        binding("b4", { projectId: "p3", userId: "user_a", role: "admin", scope: "team", scopeId: "team_1" }),
      ],
    };
    const { people } = indexOf([key("0", { projectId: "p2" })], records);
    expect(people.rightsOf("user_a", "p1")!.grants).not.toContain("*");
    expect(people.rightsOf("user_a", "p2")).toMatchObject({ grants: ["*"], projects: ["p2"] });
    expect(people.rightsOf("user_a", "p3")).toMatchObject({ teamId: "team_1" });
    // A viewer's rights hold where the user is more than a viewer, and not the other way round.
    expect(people.rightsOf("user_a", "p1")!.projects).toEqual(["p1", "p2", "p3"]);
    expect(people.rightsOf("user_a", "p4")).toBeNull();
    expect(people.rightsOf("user_b", "p1")).toBeNull();
  });
});

describe("the form of keys", () => {
  it("carries its environment and its row's id, and a checksum that every change of one character breaks", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z0-9]{1,12}$/), fc.stringMatching(/^[a-z0-9]{24}$/), fc.nat(), (environment, id, at) => {
        const made = makeKey(crypto, { environment, rowId: `key_${id}` });
        expect(parseKey(made)).toEqual({ environment, id });
        expect(shownPrefix(made)).toBe(`spk_${environment}_${id}_`);
        const place = at % made.length;
        const changed = made.slice(0, place) + (made[place] === "a" ? "b" : "a") + made.slice(place + 1);
        expect([null, "broken"]).toContain(parseKey(changed));
      }),
      { numRuns: 2_000 },
    );
    expect(
      new Set(Array.from({ length: 1_000 }, () => makeKey(crypto, { environment: "live", rowId: `key_${"a".repeat(24)}` }))).size,
    ).toBe(1_000);
  });
});

function allowed(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    expect(GatewayError.is(error, "forbidden") || GatewayError.is(error, "validation_failed")).toBe(true);
    return false;
  }
}
