import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Caller } from "../../calls/index.js";
import { recordsOf } from "../../config/records.js";
import {
  gatewayKey,
  persona,
  personaSchema,
  plainKey,
  roleBinding,
  user,
  type GatewayKeyRow,
  type Kept,
  type PersonaRow,
} from "../../entities/index.js";
import { mayDo } from "../grants.js";
import { noteSubjectToken, subjectTokenOf } from "../tokens/subject-tokens.js";
import { Secret } from "../../util/secret.js";
import { explainAccess } from "./explain-access.js";
import { Personas, type PersonaSnapshot } from "./personas.js";

const kept = { version: 1, createdAtMs: 0, updatedAtMs: 0 };
const empty = personaSchema.parse({});
const row = (name: string, more: Readonly<Record<string, unknown>>): PersonaRow =>
  ({ ...kept, id: `persona_${name}`, name, createdBy: null, ...empty, ...more }) as PersonaRow;
const key = (id: string, more: Partial<GatewayKeyRow> = {}): GatewayKeyRow => ({
  ...{ ...kept, ...plainKey, id, name: id, kind: "key", digest: id, projectId: "default", scopes: ["mcp:*"] },
  ...more,
});
const ADA = { ...kept, id: "user_ada", projectId: "default", username: "ada", enabled: true } as unknown as Kept;
const HELD = { ...kept, id: "b1", projectId: "default", userId: "user_ada", role: "viewer", scope: "global", scopeId: "*" } as Kept;

interface Given {
  readonly stored?: readonly PersonaRow[];
  readonly configured?: Readonly<Record<string, object>>;
  readonly keys?: readonly GatewayKeyRow[];
}
function snapshotOf({ stored = [], configured = {}, keys = [] }: Given): PersonaSnapshot {
  const rows = new Map<string, readonly Kept[]>([
    [persona.name, stored],
    [user.name, [ADA]],
    [roleBinding.name, [HELD]],
    [gatewayKey.name, keys],
  ]);
  const personas = Object.fromEntries(Object.entries(configured).map(([name, rules]) => [name, personaSchema.parse(rules)]));
  return { keys: new Map(keys.map((each) => [each.id, each])), records: recordsOf(rows), config: { access: { personas } } };
}
const base: Caller = { kind: "key", id: "key_a", name: "a", keyId: "key_a", projects: ["default"], grants: ["mcp:*"] };
const callers: readonly Caller[] = [
  base,
  { ...base, id: "key_b", keyId: "key_b", madeFrom: ["key_a"], bounds: [["mcp:*"]] },
  { kind: "user", id: "user_ada", name: "ada", userId: "user_ada", projects: ["default"], grants: ["mcp:*"] },
  { kind: "host", id: "shop", name: "shop", projects: ["p2"], grants: ["*"], agentId: "agent_1" },
];
const TOOLS = ["files__read", "files__rm", "bank__pay", "bank__file://a/b"];
const allowedTo = (caller: Caller, snapshot: PersonaSnapshot): readonly string[] => {
  const bound = new Personas().bind(caller, snapshot);
  return TOOLS.filter((name) => mayDo(bound, "mcp", name));
};

describe("personas", () => {
  const glob = fc.constantFrom(
    "*",
    "files",
    "bank",
    "files__*",
    "*__r*",
    "!files",
    "!*",
    "nothing",
    "",
    "bank__pay",
    "**",
    "user_*",
    "viewer",
  );
  const list = fc.oneof(
    { weight: 6, arbitrary: fc.array(glob, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, "files__*", 7, { allow: ["*"] }, [1]) },
  );
  const filter = fc.oneof(
    { weight: 8, arbitrary: fc.record({ allow: list, deny: list }, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, [], "x") },
  );
  const subjects = fc.record({ roles: list, keys: list, users: list, projects: list, agents: list });
  const rows = fc.array(
    fc.tuple(subjects, fc.record({ servers: filter, tools: filter })).map(([of, what]) => ({ ...of, ...what })),
    { maxLength: 4 },
  );
  const scope = fc.constantFrom("*", "mcp:*", "mcp:files__*", "!mcp:files__rm", "!*", "mcp:bank__*", "models:*", "mcp:");
  const grants = fc.array(scope, { maxLength: 3 });
  const caller = fc
    .tuple(fc.constantFrom(...callers), grants, fc.option(fc.array(grants, { maxLength: 2 }), { nil: undefined }))
    .map(([who, own, bounds]): Caller => ({ ...who, grants: own, ...(bounds === undefined ? {} : { bounds }) }));
  const keys = [key("key_a", { parentId: "user_ada" }), key("key_b", { parentId: "key_a" })];
  const named = (all: readonly Readonly<Record<string, unknown>>[]): readonly PersonaRow[] => all.map((each, at) => row(`p${at}`, each));

  it("never let pass what grants do not, and each one more only takes away, whatever stands in them (T19)", () => {
    fc.assert(
      fc.property(caller, rows, (who, all) => {
        const granted = TOOLS.filter((name) => mayDo(who, "mcp", name));
        let before: readonly string[] = granted;
        for (let count = 1; count <= all.length; count++) {
          const now = allowedTo(who, snapshotOf({ stored: named(all.slice(0, count)), keys }));
          for (const name of now) expect(before).toContain(name);
          before = now;
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("bind a key by all that binds those that it was made from (T05)", () => {
    fc.assert(
      fc.property(rows, (all) => {
        const snapshot = snapshotOf({ stored: named(all), keys });
        const [maker, child] = callers as [Caller, Caller];
        const ofMaker = allowedTo(maker, snapshot);
        for (const name of allowedTo(child, snapshot)) expect(ofMaker).toContain(name);
        const ofUser = allowedTo(callers[2]!, snapshot);
        for (const name of ofMaker) expect(ofUser).toContain(name);
      }),
      { numRuns: 1_000 },
    );
  });

  it("are explained as they are held", () => {
    fc.assert(
      fc.property(caller, rows, fc.constantFrom(...TOOLS), (who, all, name) => {
        const snapshot = snapshotOf({ stored: named(all), keys });
        const [server = "", tool = ""] = name.split("__");
        const told = explainAccess(who, { snapshot, server, tool });
        expect(told.allowed).toBe(mayDo(new Personas().bind(who, snapshot), "mcp", name));
      }),
      { numRuns: 1_000 },
    );
  });

  it.each<[string, object, readonly string[]]>([
    ["left out: all", {}, TOOLS],
    ["an empty list of what passes: nothing", { tools: { allow: [] } }, []],
    ["a server", { servers: { allow: ["files"] } }, ["files__read", "files__rm"]],
    ["a denial before what passes", { tools: { allow: ["files__*"], deny: ["*__rm"] } }, ["files__read"]],
    ["a server that is denied before tools that pass", { servers: { deny: ["files"] }, tools: { allow: ["*"] } }, TOOLS.slice(2)],
    ["both of them", { servers: { allow: ["bank"] }, tools: { allow: ["files__*"] } }, []],
    ["a resource, by its address", { tools: { deny: ["bank__file://*"] } }, TOOLS.slice(0, 3)],
  ])("leave %s", (_title, rules, left) => {
    expect(allowedTo(base, snapshotOf({ configured: { one: { keys: ["key_a"], ...rules } } }))).toEqual(left);
  });

  const none = { tools: { allow: [] } };
  it.each<[string, Readonly<Record<string, unknown>>, readonly number[]]>([
    ["key, and those made from it", { keys: ["key_a"] }, [0, 1]],
    ["user, and the keys that it made", { users: ["user_ada"] }, [0, 1, 2]],
    ["role, and the keys of its holders", { roles: ["viewer"] }, [0, 1, 2]],
    ["caller of a host", { users: ["shop"] }, [3]],
    ["project", { projects: ["p2"] }, [3]],
    ["agent", { agents: ["agent_*"] }, [3]],
    ["nobody", {}, []],
  ])("bind a %s", (_title, of, bound) => {
    const snapshot = snapshotOf({ stored: [row("one", { ...of, ...none })], keys });
    expect(callers.flatMap((who, at) => (allowedTo(who, snapshot).length === 0 ? [at] : []))).toEqual(bound);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["whom it binds", { agents: "builder", tools: { allow: [] } }],
    ["what passes", { keys: ["key_a"], tools: { allow: "*" } }],
    ["what is denied", { keys: ["key_a"], tools: { deny: { all: false } } }],
    ["its servers", { keys: ["key_a"], servers: null }],
  ])("whose row does not say %s in a way that can be read take all away, rather than nothing (T47)", (_title, broken) => {
    const who = { ...base, agentId: "agent_1" };
    expect(allowedTo(who, snapshotOf({ stored: [row("one", broken)] }))).toEqual([]);
  });

  it("of the configuration count instead of stored ones with the same name", () => {
    const stored = [row("one", { keys: ["key_a"], ...none })];
    expect(allowedTo(base, snapshotOf({ stored, configured: { one: { keys: ["key_a"] } } }))).toEqual(TOOLS);
  });

  it("are worked out once for a caller, and cost it nothing where there are none", () => {
    const personas = new Personas();
    const snapshot = snapshotOf({ stored: [row("one", { keys: ["key_a"], ...none })], keys });
    const bound = personas.bind(base, snapshot);
    expect(personas.bind(base, snapshot)).toBe(bound);
    expect(personas.bind(bound, snapshot)).toBe(bound);
    expect(personas.bind(base, snapshotOf({ keys }))).toBe(base);
    expect(personas.bind(callers[3]!, snapshot)).toBe(callers[3]);
    // What stands on a caller that was kept, or that somebody made up, does not count.
    expect(personas.bind(bound, snapshotOf({ keys })).personas).toBeUndefined();
    expect(personas.bind({ ...base, personas: [] }, snapshot).personas).toHaveLength(1);
  });

  it("leave a caller the token that it came in with", () => {
    const who = noteSubjectToken({ ...base }, new Secret("theirs"));
    const bound = new Personas().bind(who, snapshotOf({ stored: [row("one", { keys: ["*"] })], keys }));
    expect(bound).not.toBe(who);
    expect(subjectTokenOf(bound)?.reveal()).toBe("theirs");
  });

  it("take no glob that begins with an exclamation mark", () => {
    expect(personaSchema.safeParse({ tools: { allow: ["!files__*"] } }).success).toBe(false);
    expect(personaSchema.safeParse({ roles: ["!viewer"] }).success).toBe(false);
  });
});

describe("who decides", () => {
  const keys = [key("key_a", { parentId: "user_ada", scopes: ["mcp:*", "!mcp:bank__*"] })];
  const stored = [row("desk", { roles: ["viewer"], tools: { deny: ["files__r?", "files__rm*"] }, servers: { allow: ["files"] } })];
  const snapshot = snapshotOf({ stored, keys });
  const who: Caller = { ...base, grants: ["mcp:*", "!mcp:bank__*"], bounds: [["mcp:*"]] };
  const told = (tool: string, server = "files", caller = who) => explainAccess(caller, { snapshot, server, tool });

  it("is the first that refuses, else the caller's own grant", () => {
    const keyId = { kind: "key", id: "key_a" };
    expect(told("read")).toMatchObject({ allowed: true, subject: keyId, persona: null, rule: "mcp:*" });
    expect(told("pay", "bank")).toMatchObject({ allowed: false, subject: keyId, persona: null, rule: "!mcp:bank__*" });
    const role = { kind: "role", id: "viewer" };
    expect(told("rm")).toMatchObject({ allowed: false, subject: role, persona: "desk", rule: "tools.deny: files__rm*" });
    expect(told("x", "other")).toMatchObject({ allowed: false, subject: role, persona: "desk", rule: "servers.allow" });
    const unknown = { ...who, bounds: [["models:*"]] };
    expect(told("read", "files", unknown)).toMatchObject({ allowed: false, subject: { kind: "user", id: "user_ada" }, rule: null });
    expect(told("read", "files", callers[3]!)).toMatchObject({ allowed: true, subject: { kind: "caller", id: "shop" }, rule: "*" });
  });
});
