import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hasService, privateRedis, type PrivateRedis } from "@sallyport/adapter-kit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundled, child } from "../test/bundled.js";
import { sleep } from "../test/opened.js";
import { undisturbed } from "../test/undisturbed.js";

const LIMIT = 100;
const WINDOW_MS = 60_000;
const NODES = 4;

describe.skipIf(!hasService("redis"))("four processes with one limit, over HTTP (G18)", () => {
  let file = "";
  beforeAll(async () => void (file = await bundled("limited-node.ts")));

  async function four(heard?: (line: string) => void) {
    const redis: PrivateRedis = await privateRedis();
    const folder = mkdtempSync(join(tmpdir(), "sallyport-four-"));
    onTestFinished(async () => {
      await redis.dispose();
      rmSync(folder, { recursive: true, force: true });
    });
    const options = { database: join(folder, "s.db"), url: redis.url, requestsPerMinute: LIMIT };
    const nodes = Array.from({ length: NODES }, () => child(file, options, heard));
    // Starting is not the subject: four at once on a busy machine take their time.
    const patient = { timeout: 60_000, interval: 500 };
    await expect.poll(() => nodes.filter(({ lines }) => lines.includes("serves")).length, patient).toBe(NODES);
    const isTogether = ({ lines }: (typeof nodes)[number]) =>
      lines.includes('ready {"status":"ready"}') && lines.includes(`nodes ${NODES}`);
    const together = () => {
      for (const node of nodes) for (const question of ["ready", "nodes"]) node.say(question);
      return nodes.filter(isTogether).length;
    };
    await expect.poll(together, patient).toBe(NODES);
    const offered = async (forMs: number) => {
      for (const node of nodes) node.say(`offer ${LIMIT} 4 ${forMs}`);
      await expect
        .poll(() => nodes.every(({ lines }) => lines.includes("offered")), { timeout: forMs + 120_000, interval: 100 })
        .toBe(true);
      return nodes.flatMap(({ lines }) =>
        lines.filter((line) => /^\d+ \d+$/.test(line)).map((line) => line.split(" ").map(Number) as [number, number]),
      );
    };
    const close = async () => {
      for (const node of nodes) node.say("close");
      return Promise.all(nodes.map(({ ended }) => ended));
    };
    return { redis, offered, close };
  }
  const count = (answers: readonly (readonly [number, number])[], status: number): number =>
    answers.filter(([, one]) => one === status).length;

  /** The most that passed in one window. A machine may be so busy that what is offered takes more than one. */
  const mostInAWindow = (answers: readonly (readonly [number, number])[]): number => {
    const atMs = answers.flatMap(([ms, status]) => (status === 200 ? [ms] : [])).sort((a, b) => a - b);
    return Math.max(...atMs.map((from) => atMs.filter((ms) => ms >= from && ms < from + WINDOW_MS).length));
  };

  it("what they offer together, many times the limit, passes once; and each ends by itself when it is closed", () =>
    undisturbed(async (heard) => {
      const { offered, close } = await four(heard);
      const answers = await offered(3_000);
      const most = mostInAWindow(answers);
      console.info(`four processes, limit ${LIMIT}: offered ${answers.length}, passed in a window ${most}, refused ${count(answers, 429)}`);
      expect(count(answers, 200) + count(answers, 429)).toBe(answers.length);
      expect(answers.length).toBeGreaterThanOrEqual(NODES * LIMIT);
      expect(Math.abs(most - LIMIT)).toBeLessThanOrEqual(LIMIT * 0.05);
      expect(await close()).toEqual(Array.from({ length: NODES }, () => ({ code: 0, errors: "" })));
    }));

  it("with Redis killed, emptied and started again and again no more than twice the limit passes", async () => {
    const { redis, offered, close } = await four();
    const running = offered(20_000);
    for (let i = 0; i < 5; i++) {
      await sleep(2_000);
      await redis.server.kill();
      await sleep(1_000);
      await redis.server.start();
    }
    const answers = await running;
    const most = mostInAWindow(answers);
    console.info(`four processes, limit ${LIMIT}, Redis killed five times: offered ${answers.length}, passed in a window ${most}`);
    expect(most).toBeGreaterThanOrEqual(LIMIT * 0.95);
    expect(most).toBeLessThanOrEqual(2 * LIMIT);
    expect(count(answers, 200) + count(answers, 429)).toBe(answers.length);
    await close();
  });
});
