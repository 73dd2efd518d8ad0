import { hasService } from "@sallyport/adapter-kit";
import { beforeAll, describe, expect, it } from "vitest";
import { bundled, child } from "../test/bundled.js";
import { vendor } from "../test/gateways.js";
import { eventually, server } from "../test/opened.js";
import { undisturbed } from "../test/undisturbed.js";

const patient = { timeout: 60_000, interval: 100 };

describe.skipIf(!hasService("redis"))("processes with one Redis", () => {
  let file = "";
  beforeAll(async () => void (file = await bundled("cached-node.ts")));

  async function two(url: string, baseUrl: string, heard?: (line: string) => void) {
    const nodes = [child(file, { url, vendor: baseUrl }, heard), child(file, { url, vendor: baseUrl }, heard)] as const;
    for (const { lines, say } of nodes)
      await expect
        .poll(() => {
          say("ready");
          return lines.includes('ready {"status":"ready"}');
        }, patient)
        .toBe(true);
    return nodes;
  }

  it("whose single-flight leader is killed: those that wait for its answer get one of their own (F43)", () =>
    undisturbed(async (heard) => {
      const redis = await server();
      // The first call is never answered.
      const upstream = await vendor({ answerMs: (n) => (n === 1 ? 600_000 : 0) });
      const [leader, follower] = await two(redis.url, upstream.baseUrl, heard);
      leader.say("ask");
      await expect.poll(() => upstream.hits(), patient).toBe(1);
      for (let i = 0; i < 5; i++) follower.say("ask");
      // They wait: nobody asks the vendor a second time.
      await eventually(async () => (await redis.command("KEYS *response-lease:*")).includes("response-lease"));
      await expect.poll(() => follower.lines.filter((line) => line === "asks").length, patient).toBe(5);
      leader.kill();
      await leader.ended;
      const answers = () => follower.lines.filter((line) => line.startsWith("answered"));
      // Every fault heals soon: a lease that nobody renews is a short one.
      await expect.poll(() => answers().length, { timeout: 30_000, interval: 100 }).toBe(5);
      expect(new Set(answers())).toEqual(new Set(["answered 200 answer 2"]));
      expect(upstream.hits()).toBe(2);
    }));

  it("whose single-flight leader takes long is waited for as long as it lives", () =>
    undisturbed(async (heard) => {
      const redis = await server();
      const upstream = await vendor({ answerMs: () => 9_000 });
      const [leader, follower] = await two(redis.url, upstream.baseUrl, heard);
      leader.say("ask");
      await expect.poll(() => upstream.hits(), patient).toBe(1);
      follower.say("ask");
      await expect.poll(() => follower.lines.includes("answered 200 answer 1"), patient).toBe(true);
      expect(upstream.hits()).toBe(1);
    }));

  it.each(["there", "frozen", "gone"])("that is %s end by themselves once they are closed", async (how) => {
    const redis = await server();
    const upstream = await vendor();
    const nodes = await two(redis.url, upstream.baseUrl);
    for (const { say } of nodes) say("ask");
    await expect.poll(() => nodes.every(({ lines }) => lines.some((line) => line.startsWith("answered 200"))), patient).toBe(true);
    if (how === "frozen") redis.server.freeze();
    if (how === "gone") await redis.server.kill();
    for (const { say } of nodes) say("close");
    expect(await Promise.all(nodes.map(({ ended }) => ended))).toEqual([
      { code: 0, errors: "" },
      { code: 0, errors: "" },
    ]);
  });
});
