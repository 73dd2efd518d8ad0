import type { Gateway } from "@sallyport/core";
import type { Clock } from "@sallyport/core/ports";
import type { RecordedCalls } from "../check/check-ledger.js";
import { gatewayOf, storageAt } from "../worker/gateway-of.js";
import { OWNER_KEY } from "../worker/worker-options.js";
import type { Child } from "./child.js";
import type { Farm } from "./farm.js";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const headers = { authorization: `Bearer ${OWNER_KEY}`, "content-type": "application/json" };

/** Callers of the HTTP face that note whose answer began. */
export class Callers {
  readonly accepted: string[] = [];
  readonly sent = new Set<string>();
  readonly #farm: Farm;
  #going = true;
  #loops: Promise<unknown>[] = [];

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  /** So many at once, each with one call after the other. */
  start(callers: number): void {
    this.#loops = Array.from({ length: callers }, async (_, n) => {
      for (let i = 0; this.#going; i++) {
        const urls = [...this.#farm.workers].flatMap((worker) => urlOf(worker) ?? []);
        const url = urls[(n + i) % Math.max(1, urls.length)];
        if (url === undefined) await pause(50);
        else await this.#ask(url, { id: `call-${n}-${i}`, stream: (n + i) % 2 === 0 });
      }
    });
  }
  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#loops);
  }

  async #ask(url: string, { id, stream }: { readonly id: string; readonly stream: boolean }): Promise<void> {
    this.sent.add(id);
    try {
      const body = { model: "v/m", messages: [{ role: "user", content: "hi" }], max_tokens: 10, stream };
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: "POST",
        headers: { ...headers, "x-request-id": id },
        body: JSON.stringify(body),
      });
      const reader = response.body?.getReader();
      const { value } = (await reader?.read()) ?? {};
      if (response.status === 200 && value !== undefined) this.accepted.push(id);
      while ((await reader?.read())?.done === false);
    } catch {
      await pause(20); // its process was killed
    }
  }

  /** What stands, once nothing is under way any more. */
  async recorded(): Promise<RecordedCalls> {
    const { place } = this.#farm;
    const usage = await place.rows("select id, request_id, cost_nano_usd from usage_entries");
    const [[limit, left, spent, reserved] = []] = await place.rows(
      "select limit_nano_usd, left_nano_usd, spent_nano_usd, reserved_nano_usd from budget_windows",
    );
    const [[open = "0"] = []] = await place.rows("select (select count(*) from reservations) + (select count(*) from open_calls)");
    return {
      ...{ accepted: this.accepted, sent: this.sent, leftOver: Number(open) },
      usage: usage.map(([id = "", requestId = "", cost = "NULL"]) => ({
        id,
        requestId,
        costNanoUsd: cost === "NULL" ? null : Number(cost),
      })),
      window: limit === undefined ? null : { limit: Number(limit), left: Number(left), spent: Number(spent), reserved: Number(reserved) },
    };
  }
}

/** Where a worker serves; undefined: not yet. */
export const urlOf = ({ lines }: Child): string | undefined => lines.find((line) => line.startsWith("serving "))?.slice("serving ".length);

/** A budget that is never used up, of the project that all calls are in. */
export async function addBudget(gateway: Gateway): Promise<void> {
  const body = JSON.stringify({ name: "all", scope: "project", scope_id: "default", amount_usd: "1000000", period: "total" });
  const made = await gateway.fetch(new Request("http://localhost/api/v1/budgets", { method: "POST", headers, body }));
  if (made.status !== 201) throw new Error(`No budget: ${made.status} ${await made.text()}`);
}

/**
 * Lets what dead processes hold run out now, and waits until a process like any other has settled it: one whose timers are quick, since they look each half a minute.
 * Rejects when that takes longer than two minutes.
 */
export async function reconciled(farm: Farm): Promise<void> {
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    at: (ms, fn) => {
      const timer = setTimeout(fn, Math.max(0, ms - Date.now()) / 20).unref();
      return () => clearTimeout(timer);
    },
  };
  const gateway = gatewayOf(storageAt(farm.place.at), { redis: farm.place.redisUrl, more: { clock } });
  await gateway.start();
  try {
    for (const untilMs = Date.now() + 120_000; Date.now() < untilMs; await pause(200)) {
      // Leases are of two minutes by the store's clock: it is the rows that are made old.
      await farm.place.run(["update reservations set expires_at_ms = 1", "update open_calls set expires_at_ms = 1"]);
      await pause(2000);
      const [[open] = []] = await farm.place.rows("select (select count(*) from reservations) + (select count(*) from open_calls)");
      if (open === "0") return;
    }
    throw new Error("What dead processes held is not settled after two minutes.");
  } finally {
    await gateway.close({ graceMs: 0 });
  }
}
