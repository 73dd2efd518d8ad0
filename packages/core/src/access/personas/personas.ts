import type { Caller, PersonaBound } from "../../calls/index.js";
import { persona, type PersonaRow, type PersonaRules } from "../../entities/index.js";
import { Directory, type DirectorySnapshot } from "../directory.js";
import type { KeyIndex } from "../keys/key-index.js";
import { noteSubjectToken, subjectTokenOf } from "../tokens/subject-tokens.js";
import { PersonaSet } from "./persona-set.js";
import { subjectsOf, type Subject } from "./subjects.js";

/** What of the snapshot says which personas there are, and whom they bind; a Snapshot is one. */
export interface PersonaSnapshot extends DirectorySnapshot {
  readonly config: { readonly access: { readonly personas: Readonly<Record<string, PersonaRules>> } };
}
interface Bound {
  readonly set: PersonaSet;
  readonly index: KeyIndex;
  readonly caller: Caller;
}

/**
 * Which personas bind a caller. Worked out once for a caller, and again when personas, keys or people changed. Without personas it costs two comparisons.
 */
export class Personas {
  readonly #directory = new Directory();
  #known: { readonly configured: unknown; readonly stored: readonly PersonaRow[]; readonly set: PersonaSet } | null = null;
  readonly #bound = new WeakMap<Caller, Bound>();

  /** The caller as personas leave it now, also one that was kept with work of before; the same where none binds it. */
  bind(caller: Caller, snapshot: PersonaSnapshot): Caller {
    const set = this.#setOf(snapshot);
    if (set.isEmpty) return caller.personas === undefined ? caller : withPersonas(caller, undefined);
    const index = this.#directory.of(snapshot);
    const known = this.#bound.get(caller);
    if (known !== undefined && known.set === set && known.index === index) return known.caller;
    const personas = set.of(subjectsOf(caller, index));
    const none = personas.length === 0;
    const bound = none && caller.personas === undefined ? caller : withPersonas(caller, none ? undefined : personas);
    for (const each of [caller, bound]) this.#bound.set(each, { set, index, caller: bound });
    return bound;
  }

  /** By which of the caller's subjects a persona binds it; null: it does not. */
  subjectOf(name: string, caller: Caller, snapshot: PersonaSnapshot): Subject | null {
    return this.#setOf(snapshot).subjectOf(name, subjectsOf(caller, this.#directory.of(snapshot)));
  }

  /** Whether a persona as a row has it binds the caller. */
  binds(row: PersonaRow, caller: Caller, snapshot: PersonaSnapshot): boolean {
    return new PersonaSet({}, [row]).of(subjectsOf(caller, this.#directory.of(snapshot))).length > 0;
  }

  #setOf(snapshot: PersonaSnapshot): PersonaSet {
    const configured = snapshot.config.access.personas;
    const stored = snapshot.records.of(persona);
    const known = this.#known;
    if (known !== null && known.configured === configured && known.stored === stored) return known.set;
    const set = new PersonaSet(configured, stored);
    this.#known = { configured, stored, set };
    return set;
  }
}

/** A copy; the token that the caller came in with goes along. */
function withPersonas(caller: Caller, personas: readonly PersonaBound[] | undefined): Caller {
  const copy: Caller = Object.freeze({ ...caller, personas });
  const token = subjectTokenOf(caller);
  return token === null ? copy : noteSubjectToken(copy, token);
}
