import type { Snapshot } from "../../config/snapshot.js";
import type { Services } from "../../seams/index.js";
import { Bridge } from "./bridge.js";
import { ParkedRows } from "./parked/parked-rows.js";
import { Parking } from "./parked/parking.js";
import { QuestionRows } from "./parked/question-rows.js";
import { RequestStates } from "./parked/request-state.js";
import { Tasks } from "./parked/tasks.js";
import { UsedStates } from "./parked/used-states.js";

export interface BridgePartsOptions {
  readonly snapshot: () => Snapshot;
  /** The purpose key `parked-calls`; left out: one of this process. */
  readonly key?: (() => Uint8Array) | undefined;
  /** What is known of other processes on this store; left out: there can be none. */
  readonly fleet?: { readonly hasPeers: boolean } | undefined;
}

/** What a proxy asks its clients with. */
export interface BridgeParts {
  readonly bridge: Bridge;
  readonly parking: Parking;
  readonly tasks: Tasks;
  readonly questions: QuestionRows;
}

export function bridgeParts(services: Services, o: BridgePartsOptions): BridgeParts {
  const { clock, crypto } = services;
  let own: Uint8Array | null = null;
  const states = new RequestStates({ crypto, clock, key: o.key ?? (() => (own ??= crypto.random(32))) });
  const limits = () => o.snapshot().config.mcp.questions;
  const rows = new ParkedRows(services, states);
  const used = new UsedStates(services);
  const parking = new Parking(services, { rows, used, limits, isShared: o.fleet !== undefined });
  const tasks = new Tasks({ states, rows, parking, limits, now: () => clock.now() });
  return {
    parking,
    tasks,
    bridge: new Bridge({ clock, states, used, rows, parking, tasks, limits }),
    questions: new QuestionRows({ rows, parking, hasPeers: () => o.fleet?.hasPeers === true, waitMs: () => limits().waitMs }),
  };
}
