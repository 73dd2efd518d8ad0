import { GatewayError, type Clock, type Demand, type Spending } from "@sallyport/core/ports";
import type { Send } from "../connection/link.js";
import type { KeySpace } from "../key-space.js";
import { spendScript } from "./window-scripts.js";

export interface SpendIn {
  readonly keys: KeySpace;
  readonly clock: Clock;
  /** The instant to count at, by the server's clock; 0: its own. */
  readonly at: number;
}

/** Spends all demands or none in one script; on a cluster they have to lie on one slot. `refused`: the place of the demand that was. */
export async function spendIn(
  send: Send,
  demands: readonly Demand[],
  o: SpendIn,
): Promise<{ readonly spending: Spending; readonly refused: number | null }> {
  const keys = demands.map(({ key }) => o.keys.sharded("window", key));
  const args = demands.flatMap(({ cost, limit, windowMs }) => [String(cost), String(limit), String(windowMs * 1_000)]);
  const answer = await spendScript.run(send, keys, [String(o.at), ...args]);
  if (!Array.isArray(answer) || answer.length !== 3 + 2 * demands.length)
    throw new GatewayError("store_unavailable", "Redis gave no answer to a count.");
  const [refused, at, retry, ...rest] = answer.map(String);
  const nowMs = o.clock.now();
  /** Instants of the server's clock, by ours. */
  const ours = (instant: string, round: (ms: number) => number): number => nowMs + round((Number(instant) - Number(at)) / 1_000);
  const left = demands.map((_, i) => Number(rest[2 * i]));
  const freeAtMs = demands.map((_, i) => (rest[2 * i + 1] === "" ? 0 : ours(rest[2 * i + 1]!, Math.floor)));
  const common = { left, freeAtMs, at: Number(at) };
  if (refused === "0") return { spending: { ok: true, ...common }, refused: null };
  const place = Number(refused) - 1;
  const retryAtMs = retry === "" ? undefined : ours(retry!, Math.ceil);
  return { spending: { ok: false, refusedBy: demands[place]?.key, retryAtMs, ...common }, refused: place };
}
