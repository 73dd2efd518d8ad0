import type { Caller } from "../../calls/index.js";
import { personaSchema, type PersonaRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ResourceActions } from "../../seams/index.js";
import type { Personas, PersonaSnapshot } from "./personas.js";

/**
 * What a stored persona has to be beside its declaration, and those of the configuration, as rows that nobody changes here. Whom a persona binds neither changes nor removes it; the owner does (T05).
 * Errors: `conflict`, `forbidden`.
 */
export function personaActions(o: { readonly personas: Personas; readonly snapshot: () => PersonaSnapshot }): ResourceActions {
  const configured = () => o.snapshot().config.access.personas;
  const refuseBound = (row: PersonaRow, caller: Caller): void => {
    if (caller.kind === "owner" || caller.kind === "system" || !o.personas.binds(row, caller, o.snapshot())) return;
    throw new GatewayError("forbidden", `The persona "${row.name}" binds the caller, who cannot change it.`, {
      hint: "Have it done by somebody whom it does not bind, or by the owner.",
      details: { persona: row.name },
    });
  };
  return {
    fixed: () =>
      Object.entries(configured()).map(([name, rules]) => ({
        ...{ id: `configuration.${name}`, name, ...personaSchema.parse(rules) },
        ...{ createdBy: null, origin: "configuration" },
      })),
    check(row, { caller }, before) {
      const { name } = row as unknown as PersonaRow;
      if (before === null && Object.hasOwn(configured(), name))
        throw new GatewayError("conflict", `The persona "${name}" is of the configuration, and counts instead.`, {
          hint: "Choose another name, or change it there.",
        });
      if (before !== null) refuseBound(before as unknown as PersonaRow, caller);
    },
    checkRemoval: (row, { caller }) => refuseBound(row as unknown as PersonaRow, caller),
  };
}
