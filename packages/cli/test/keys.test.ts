import { describe, expect, it } from "vitest";
import { emptyFolder, run, started, stop } from "./command.js";

const madeKey = /Owner key\s+(sallyport_owner_\S+)/;

async function statusOf(url: string, key: string): Promise<number> {
  const response = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
  await response.arrayBuffer();
  return response.status;
}

describe("sallyport keys", () => {
  it("says where the owner key comes from", async () => {
    const cwd = emptyFolder();
    const say = async (env: Record<string, string> = {}) => (await run(["keys"], { cwd, env }).finished).out.trim();
    expect(await say()).toBe("There is no owner key yet: the first start makes one and shows it once.");
    expect(await say({ SALLYPORT_OWNER_KEY: "x" })).toBe("The owner key comes from the environment variable SALLYPORT_OWNER_KEY.");
    expect(await say({ DATABASE_URL: "memory:" })).toBe(
      "Nothing is kept in a file: each start that finds no owner key makes one and shows it.",
    );
    await stop(await started({ cwd }));
    expect(await say()).toBe(
      "The owner key was shown when it was made; .sallyport/sallyport.db holds only a hash. A new one: sallyport keys rotate",
    );
  });

  it("rotates the owner key, also under a gateway that runs", async () => {
    const cwd = emptyFolder();
    const gateway = await started({ cwd });
    const [, old = ""] = await gateway.printed(madeKey);
    const { code, out } = await run(["keys", "rotate"], { cwd }).finished;
    expect(code).toBe(0);
    const fresh = out.trim();
    expect(fresh).toMatch(/^sallyport_owner_[\w-]{32}$/);
    await expect.poll(() => statusOf(gateway.url, fresh), { timeout: 30_000 }).toBe(200);
    expect(await statusOf(gateway.url, old)).toBe(401);
    await stop(gateway);
  });

  it("does not rotate what is not stored", async () => {
    const cwd = emptyFolder();
    const none = await run(["keys", "rotate"], { cwd }).finished;
    expect(none.code).toBe(1);
    expect(none.err).toContain("There is no stored owner key to rotate.");
    const given = await run(["keys", "rotate"], { cwd, env: { SALLYPORT_OWNER_KEY: "x" } }).finished;
    expect(given.code).toBe(1);
    expect(given.err).toContain("The owner key comes from SALLYPORT_OWNER_KEY");
  });
});
