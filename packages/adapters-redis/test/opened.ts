import { privateRedis, type PrivateRedis, type RedisOptions } from "@sallyport/adapter-kit";
import type { GatewayError, Shared } from "@sallyport/core/ports";
import { expect, onTestFinished } from "vitest";
import { redis, type RedisOptions as Options } from "../src/index.js";
import { processClock } from "./process-clock.js";

export const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
export const demand = (over: object = {}) => ({ key: "k", cost: 1, limit: 10, windowMs: 60_000, ...over });
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** The machine of a test may be busy: slowness is only looked for where it is the subject. */
export const PATIENT_MS = 8_000;

/** Until it holds. Every fault heals within ten seconds where a machine has time for it; here it is waited for longer. */
export const eventually = (holds: () => boolean | Promise<boolean>, message?: string) =>
  expect.poll(async () => holds(), { timeout: 30_000, interval: 20, message: message ?? "" }).toBe(true);

/** A server of this test. */
export async function server(o: RedisOptions = {}): Promise<PrivateRedis> {
  const made = await privateRedis(o);
  onTestFinished(() => made.dispose());
  return made;
}

export interface Opened {
  readonly shared: Shared;
  /** What listeners heard: the code of each error, or "back". */
  readonly heard: string[];
}
/** Opened, whether the server is there or not. */
export function open(options: Options): Opened {
  const shared = redis({ timeoutMs: PATIENT_MS, ...options }).open({ clock: processClock });
  onTestFinished(() => shared.close());
  const heard: string[] = [];
  shared.onChange((away: GatewayError | null) => heard.push(away?.code ?? "back"));
  return { shared, heard };
}
export async function opened(options: Options): Promise<Opened> {
  const made = open(options);
  await eventually(() => made.shared.away === null, "it is reached");
  return made;
}
