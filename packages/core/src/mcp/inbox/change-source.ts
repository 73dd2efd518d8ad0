import { mayDo } from "../../access/grants.js";
import type { Caller } from "../../calls/index.js";
import type { InboxItemRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { Approving, Denying, InboxItem, InboxSource, PinDifference, Services, ToolPins } from "../../seams/index.js";
import { SERVERS_AUDIENCE } from "../pins/change-item.js";

/** Definitions that wait for a person, in the inbox of who administers servers in every project. */
export class ChangeSource implements InboxSource {
  readonly kind = "tool_change";
  readonly #pins: ToolPins;
  readonly #services: Pick<Services, "seams">;

  constructor(services: Pick<Services, "seams">, pins: ToolPins) {
    this.#services = services;
    this.#pins = pins;
  }

  audiences(caller: Caller): readonly string[] {
    return this.#holds(caller, "read") ? [SERVERS_AUDIENCE] : [];
  }

  shown(row: InboxItemRow): InboxItem {
    return { kind: this.kind, row, differences: row.differences === null ? [] : (JSON.parse(row.differences) as PinDifference[]) };
  }

  approve(row: InboxItemRow, o: Approving & { readonly caller: Caller }): Promise<void> {
    return this.#decide(row, { ...o, approve: true });
  }

  deny(row: InboxItemRow, o: Denying & { readonly caller: Caller }): Promise<void> {
    return this.#decide(row, { ...o, approve: false });
  }

  async #decide(row: InboxItemRow, o: Denying & { readonly caller: Caller; readonly approve: boolean }): Promise<void> {
    const { caller, note, approve } = o;
    if (!this.#holds(caller, "write"))
      throw new GatewayError("forbidden", "Who decides on definitions of tools administers servers in every project.", {
        hint: "Grant it servers:write, in every project.",
        details: { missing: "servers:write" },
      });
    const { pinId, digest } = row;
    if (pinId === null || digest === null) throw new GatewayError("internal", "An item about a tool names no definition.");
    await this.#pins.decide(pinId, { digest, approve, caller, note });
  }

  #holds(caller: Caller, verb: "read" | "write"): boolean {
    return mayDo(caller, "servers", verb) && this.#services.seams.resources.isHeldEverywhere(caller, `servers:${verb}`);
  }
}
