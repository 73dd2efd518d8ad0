import type { Caller } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";

/** Who asks for a change, and within what. */
export interface ActionOptions {
  readonly caller: Caller;
  readonly requestId: string;
  readonly signal: AbortSignal;
  /** Unix ms. */
  readonly deadlineMs: number;
}

/**
 * What a domain does itself where the verbs derived from an entity's declaration would be wrong: creations that show something once, checks against other rows, state machines. Each
 * has the derived verb's contract (`view`s in snake_case without secrets and digests; `ifVersion` held; unknown ids are `not_found`) and replaces it; a verb left out stays derived.
 */
export interface ResourceActions {
  /** The whole answer of a creation: the view, and what is shown only now. `input` has the entity's own fields in camelCase, checked, defaults filled in; where `ownInputs` (routes/resources) declares another body, that body as it came, checked. */
  create?(input: Readonly<Record<string, unknown>>, o: ActionOptions): Promise<Readonly<Record<string, unknown>>>;
  update?(
    change: { readonly id: string; readonly set: Readonly<Record<string, unknown>>; readonly ifVersion?: number | undefined },
    o: ActionOptions,
  ): Promise<Readonly<Record<string, unknown>>>;
  remove?(target: { readonly id: string; readonly ifVersion?: number | undefined }, o: ActionOptions): Promise<void>;
  /** Rows that are not in the store: of the configuration, or of the program. With `origin`, and ids that no stored row has; they are shown and never changed. */
  fixed?(o: ActionOptions): readonly Readonly<Record<string, unknown>>[] | Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Rows of `fixed` stand for what was not stored yet: a change of one goes to `update` and `remove`, which store it. */
  readonly fixedMayChange?: boolean;
  /** The id of the row that a path may also name otherwise. */
  idOf?(named: string): string;
  /** What views have beside the fields of their rows, in snake_case as `ownViews` (routes/resources) declares it: one for each row, in their order. */
  shown?(rows: readonly Readonly<Record<string, unknown>>[], o: ActionOptions): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** The body of a derived creation or replacement with what follows from the rest of it; in snake_case. What it left out may have its default already. */
  filled?(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** Called before a derived create or update is committed, with the row as it would be, and as it is (null: it is made): throw to refuse. Of a row that is made it may fill in what was left out. */
  check?(row: Readonly<Record<string, unknown>>, o: ActionOptions, before: Readonly<Record<string, unknown>> | null): void | Promise<void>;
  /** Which rows of its projects the caller sees; left out: all. `where` names indexed fields. A row that it does not see is `not_found` to every verb. */
  seen?(o: ActionOptions): {
    readonly where: Readonly<Record<string, unknown>>;
    readonly row: (row: Readonly<Record<string, unknown>>) => boolean;
  };
  /** Called before a derived deletion, with the row that would go: throw to refuse. */
  checkRemoval?(row: Readonly<Record<string, unknown>>, o: ActionOptions): void | Promise<void>;
}

/** Whether the caller, who may do this where it acts, may do it in every project. */
export type HeldEverywhere = (caller: Caller, scope: string) => boolean;

/** The actions of one gateway, by entity name. Filled by `gateway.ts` before the first request. */
export class ResourceActionsTable {
  readonly #actions = new Map<string, ResourceActions>();
  #isHeldEverywhere: HeldEverywhere = ({ kind }) => kind === "owner" || kind === "system";

  set(entity: string, actions: ResourceActions): void {
    this.#actions.set(entity, actions);
  }

  of(entity: string): ResourceActions | undefined {
    return this.#actions.get(entity);
  }

  /** Who knows all projects and people says what is held in every one; until then only the owner holds anything there. */
  judgeEverywhere(by: HeldEverywhere): void {
    this.#isHeldEverywhere = by;
  }

  /** Whether the caller, who may do this where it acts, may do it in every project. */
  isHeldEverywhere(caller: Caller, scope: string): boolean {
    return this.#isHeldEverywhere(caller, scope);
  }

  /** For what no project owns: the caller may do this in every project. `scope`: such as `limits:write`. Errors: `forbidden` (T04). */
  assertEverywhere(caller: Caller, scope: string): void {
    if (this.#isHeldEverywhere(caller, scope)) return;
    throw new GatewayError("forbidden", `This is of every project, and ${scope} is held in only some of them.`, {
      hint: "Ask the owner, or somebody who holds a role in every project; a key of theirs names every project, or project:*.",
      details: { missing: scope, excess: "project" },
    });
  }
}
