import type { PersonaBound } from "../../calls/index.js";
import type { PersonaRow, PersonaRules } from "../../entities/index.js";
import { matchesAnyGlob, type NameFilter } from "../../util/glob.js";
import { subjectKinds, type Subject, type Subjects } from "./subjects.js";

interface Persona {
  readonly subjects: Readonly<Record<keyof Subjects, readonly string[]>>;
  readonly bound: PersonaBound;
}

const ALL: readonly string[] = ["*"];
const NOTHING: NameFilter = { allow: [] };

/** The personas of one snapshot, by name. Immutable. */
export class PersonaSet {
  readonly #personas: readonly Persona[];

  /** One of the configuration counts instead of a stored one with the same name. */
  constructor(configured: Readonly<Record<string, PersonaRules>>, stored: readonly PersonaRow[]) {
    const own = Object.entries(configured).map(([name, rules]) => personaOf(name, rules));
    const others = stored.filter(({ name }) => !Object.hasOwn(configured, name)).map((row) => personaOf(row.name, row));
    this.#personas = [...own, ...others].sort((a, b) => (a.bound.name < b.bound.name ? -1 : 1));
  }

  get isEmpty(): boolean {
    return this.#personas.length === 0;
  }

  /** Those that bind one of the subjects. */
  of(subjects: Subjects): readonly PersonaBound[] {
    return this.#personas.filter((persona) => subjectBound(persona, subjects) !== null).map(({ bound }) => bound);
  }

  /** The subject that a persona binds by; null: it binds none of them. */
  subjectOf(name: string, subjects: Subjects): Subject | null {
    const persona = this.#personas.find(({ bound }) => bound.name === name);
    return persona === undefined ? null : subjectBound(persona, subjects);
  }
}

function subjectBound({ subjects: globs }: Persona, subjects: Subjects): Subject | null {
  for (const [each, kind] of subjectKinds) for (const id of subjects[each]) if (matchesAnyGlob(globs[each], id)) return { kind, id };
  return null;
}

/** What a store gave may be anything (T47): who is bound is everybody where that cannot be read, and nothing is left where what is left cannot be. */
function personaOf(name: string, rules: PersonaRules): Persona {
  const { roles, keys, users, projects, agents, servers, tools } = rules;
  const subjects = { roles: globsOr(roles, ALL), keys: globsOr(keys, ALL), users: globsOr(users, ALL) };
  return {
    subjects: { ...subjects, projects: globsOr(projects, ALL), agents: globsOr(agents, ALL) },
    bound: Object.freeze({ name, servers: filterOf(servers), tools: filterOf(tools) }),
  };
}

function filterOf(given: unknown): NameFilter {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return NOTHING;
  const { allow, deny } = given as Readonly<Record<string, unknown>>;
  return {
    ...(allow === undefined || allow === null ? {} : { allow: globsOr(allow, []) }),
    ...(deny === undefined || deny === null ? {} : { deny: globsOr(deny, ALL) }),
  };
}

function globsOr(given: unknown, otherwise: readonly string[]): readonly string[] {
  return Array.isArray(given) && given.every((glob) => typeof glob === "string") ? given : otherwise;
}
