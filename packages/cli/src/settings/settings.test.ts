import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { expect, it, onTestFinished } from "vitest";
import { main } from "../main.js";

function place(file: object = {}) {
  const cwd = mkdtempSync(join(tmpdir(), "sallyport-cli-settings-"));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify(file));
  return async (...args: string[]) => {
    const out: string[] = [];
    const err: string[] = [];
    const terminal = { out: (line = "") => void out.push(line), err: (line = "") => void err.push(line), paint: pc.createColors(false) };
    const env = { SALLYPORT_OWNER_KEY: "an-owner-key-for-the-settings-test-1", LOG_LEVEL: "silent" };
    const code = await main(args, { cwd, env, terminal });
    return { code, out, err };
  };
}

it("lists, shows, sets and resets settings of the database, with where each is from", async () => {
  const run = place({ limits: { perKey: { concurrency: 5 } }, mcpServers: { broken: { command: "there-is-no-such-command" } } });
  expect(await run("config", "set", "limits.per_key.concurrency", "8")).toEqual({
    ...{ code: 0, out: [] },
    err: ["limits.per_key.concurrency is 8, from the stored setting limits.per_key.concurrency."],
  });
  expect((await run("config", "set", "server.allowed_origins", '["https://app.example.com"]')).code).toBe(0);
  await run("config", "set", "money.unknown_price", "allow");
  const listed = await run("config");
  expect(listed.code).toBe(0);
  expect(listed.out).toContain("limits.per_key.concurrency\t8\tthe stored setting limits.per_key.concurrency");
  expect(listed.out).toContain('server.allowed_origins\t["https://app.example.com"]\tthe stored setting server.allowed_origins');
  expect(listed.out).toContain("logging.level\tsilent\tthe environment variable LOG_LEVEL");
  expect(listed.out).toContain("sessions.ttl_days\t7\tdefault");
  expect(await run("config", "get", "limits.per_key.concurrency")).toEqual({
    code: 0,
    out: ["8"],
    err: [
      "limits.per_key.concurrency: calls under way at once. Takes a whole number from 1 to 1000000000.",
      "    sallyport.config.json: 5",
      "  * the stored setting limits.per_key.concurrency: 8",
    ],
  });
  expect((await run("config", "reset", "limits.per_key.concurrency")).err).toEqual([
    "limits.per_key.concurrency is 5, from sallyport.config.json.",
  ]);
  const json = JSON.parse((await run("config", "list", "--json")).out.join("\n")) as { key: string; value: unknown }[];
  expect(json.find(({ key }) => key === "money.unknown_price")?.value).toBe("allow");
});

it("says what is wrong with a command, with exit code 1", async () => {
  const run = place();
  const said = async (...args: string[]) => {
    const { code, err } = await run(...args);
    return [code, err[0], err[1]];
  };
  expect(await said("config", "set", "limits.per_key.concurrency", "lots")).toEqual([
    ...[1, "✖ limits.per_key.concurrency: found text, expected a whole number from 1 to 1000000000."],
    "  → Write a whole number from 1 to 1000000000.",
  ]);
  expect(await said("config", "set", "server.port", "80")).toEqual([
    ...[1, "✖ server.port cannot be changed while the gateway runs: the address is bound at the start."],
    "  → Set server.port in the file, the environment or code, and start again.",
  ]);
  expect(await said("config", "get", "sesions.ttl_days")).toEqual([
    ...[1, '✖ There is no setting "sesions.ttl_days".', "  → Did you mean sessions.ttl_days?"],
  ]);
  expect((await said("config", "forget"))[0]).toBe(1);
  expect((await said("config", "set"))[0]).toBe(1);
});
