import type { Caller, PersonaBound } from "../../calls/index.js";
import { matchesGlob } from "../../util/glob.js";
import { Directory } from "../directory.js";
import { decidingGrant, denies } from "../grants.js";
import type { KeyIndex } from "../keys/key-index.js";
import { leaves, serverOf } from "./persona-bound.js";
import { Personas, type PersonaSnapshot } from "./personas.js";
import type { Subject } from "./subjects.js";

/** Who decides whether a caller may use something of an MCP server, and by what. No secret. */
export interface AccessExplanation {
  readonly allowed: boolean;
  /** Whose rule decides: the first that refuses; where none does, the caller's own. `caller`: one that a host application names, or of an access token. */
  readonly subject: { readonly kind: Subject["kind"] | "caller"; readonly id: string };
  /** null: a scope of a key or role decides. */
  readonly persona: string | null;
  /** As it is written: a scope such as `mcp:files__*` or `!mcp:files__rm*`; of a persona `tools.deny: files__rm*`, or `servers.allow` where that lacks it; null: nothing names it, which denies. */
  readonly rule: string | null;
  /** One sentence for people. */
  readonly why: string;
}
type Named = AccessExplanation["subject"];

/** Which rule of which subject decides whether the caller may use `server__tool` now; `tool`: as its server calls it, or the URI of a resource. Looks only, and never throws. */
export function explainAccess(
  caller: Caller,
  o: { readonly snapshot: PersonaSnapshot; readonly server: string; readonly tool: string },
): AccessExplanation {
  const name = `${o.server}__${o.tool}`;
  const index = new Directory().of(o.snapshot);
  const lists = [caller.grants, ...(caller.bounds ?? [])].map((grants, at) =>
    judged(grants, { name, holder: holderOf(caller, at, index) }),
  );
  const refusal = lists.find(({ allowed }) => !allowed);
  if (refusal !== undefined) return refusal;
  const personas = new Personas();
  const refusing = personas.bind(caller, o.snapshot).personas?.find((persona) => !leaves(persona, name));
  if (refusing === undefined) return lists[0]!;
  const rule = ruleOf(refusing, name);
  const subject = personas.subjectOf(refusing.name, caller, o.snapshot) ?? { kind: "caller" as const, id: caller.id };
  const why = `The persona "${refusing.name}", which binds the ${subject.kind} ${subject.id}, keeps it back by ${rule}.`;
  return { allowed: false, subject, persona: refusing.name, rule, why };
}

/** Whose a list of grants is, and how the one among its roles is found that says something. */
interface Holder {
  readonly subject: Named;
  readonly roleOf: (scope: string) => string | undefined;
}

function judged(grants: readonly string[], { name, holder }: { readonly name: string; readonly holder: Holder }): AccessExplanation {
  const rule = decidingGrant(grants, "mcp", name);
  const role = rule === null ? undefined : holder.roleOf(rule);
  const subject: Named = role === undefined ? holder.subject : { kind: "role", id: role };
  const allowed = rule !== null && !denies(rule);
  const whose = `of the ${subject.kind} ${subject.id}`;
  const why = rule === null ? `No scope ${whose} names it.` : `The scope "${rule}" ${whose} ${allowed ? "allows" : "denies"} it.`;
  return { allowed, subject, persona: null, rule, why };
}

/** Of the caller's own grants at 0, then of what its key was made from, the nearest first; last of the user that made the first of them. */
function holderOf(caller: Caller, at: number, index: KeyIndex): Holder {
  const { keyId, madeFrom = [] } = caller;
  const keys = keyId === undefined ? [] : [keyId, ...madeFrom];
  const key = keys[at];
  if (key !== undefined) return { subject: { kind: "key", id: key }, roleOf: () => undefined };
  const first = keyId === undefined ? undefined : index.chain(keyId).at(-1);
  const id = first?.parentId ?? caller.userId ?? caller.id;
  if (index.people.user(id) === undefined) return { subject: { kind: "caller", id }, roleOf: () => undefined };
  const where = first?.projectId ?? caller.projects[0];
  const roles = [...index.people.rolesIn(id, where)];
  return { subject: { kind: "user", id }, roleOf: (scope) => roles.find((role) => index.people.scopesOf(role, where).includes(scope)) };
}

function ruleOf({ servers, tools }: PersonaBound, name: string): string {
  const server = serverOf(name);
  const first = (globs: readonly string[] | undefined, of: string) => globs?.find((glob) => matchesGlob(glob, of));
  const ofServers = first(servers.deny, server);
  if (ofServers !== undefined) return `servers.deny: ${ofServers}`;
  const ofTools = first(tools.deny, name);
  if (ofTools !== undefined) return `tools.deny: ${ofTools}`;
  return servers.allow !== undefined && first(servers.allow, server) === undefined ? "servers.allow" : "tools.allow";
}
