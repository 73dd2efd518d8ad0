import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundled, startChild } from "../../processes/child-bundle.js";
import type { ReconnectingOptions } from "./reconnecting-gateway.js";

const TIMES = 500;
const SERVERS = 4;

let file: string;
beforeAll(async () => void (file = await bundled("../mcp/reconnects/reconnecting-gateway.ts")));
afterAll(() => rmSync(file, { force: true }));

/** The processes whose command line has this word in it. */
function withWord(word: string, except: number): number[] {
  return readdirSync("/proc").flatMap((name) => {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === except) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").includes(word) ? [pid] : [];
    } catch {
      return []; // it has ended meanwhile
    }
  });
}

describe.runIf(process.platform === "linux")("stdio servers", () => {
  it(`that are connected ${TIMES} times leave no more processes than are connected, and none when the gateway is killed (T48)`, async () => {
    const marker = `marker-${randomUUID()}`;
    const server = fileURLToPath(new URL("marked-server.mjs", import.meta.url));
    const gateway = startChild(file, { server, marker, times: TIMES, servers: SERVERS } satisfies ReconnectingOptions);
    const processes = () => withWord(marker, gateway.process.pid ?? 0);
    onTestFinished(async () => {
      gateway.process.kill("SIGKILL");
      await gateway.ended;
      for (const pid of processes()) process.kill(pid, "SIGKILL");
    });
    const [, made] = (await gateway.said("connected ")).split(" ");
    expect(Number(made)).toBeGreaterThanOrEqual(TIMES);
    // The last ones have a child each.
    await expect.poll(() => processes().length).toBe(2 * SERVERS);
    gateway.process.kill("SIGKILL");
    expect(await gateway.ended).toMatchObject({ signal: "SIGKILL", errors: "" });
    await expect.poll(processes).toEqual([]);
  });
});
