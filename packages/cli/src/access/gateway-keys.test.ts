import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pc from "picocolors";
import { afterEach, beforeEach, expect, it } from "vitest";
import { main } from "../main.js";

let cwd: string;
beforeEach(() => void (cwd = mkdtempSync(join(tmpdir(), "sallyport-keys-"))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

async function sallyport(...argv: string[]): Promise<{ code: number; out: string[]; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const terminal = { out: (line = "") => void out.push(line), err: (line = "") => void err.push(line), paint: pc.createColors(false) };
  const env = { SALLYPORT_OWNER_KEY: "owner-key-of-the-cli-tests-0c4be1", LOG_LEVEL: "silent" };
  const code = await main(argv, { cwd, env, terminal });
  return { code, out, err: err.join("\n") };
}

it("keys of callers are made, listed, rotated and revoked, each shown once", async () => {
  const made = await sallyport(
    "keys",
    "create",
    "--name",
    "ci",
    "--scopes",
    "models:*,mcp:files__*",
    "--expires",
    "90d",
    "--rpm",
    "60",
    "--environment",
    "test",
  );
  expect([made.code, made.err]).toEqual([0, expect.stringContaining("It may: models:*, mcp:files__*")]);
  expect(made.out).toEqual([expect.stringMatching(/^spk_test_[a-z0-9]{24}_[0-9A-Za-z]{49}$/)]);
  const id = /\((key_[a-z0-9]{24})\)/.exec(made.err)![1]!;
  expect((await sallyport("keys", "list")).out).toContain(`${id}\tvalid\tdefault\tci\tmodels:*,mcp:files__*`);
  const renewed = await sallyport("keys", "rotate", id, "--overlap", "1h");
  expect(renewed.out[0]).not.toBe(made.out[0]);
  expect((await sallyport("keys", "revoke", id)).code).toBe(0);
  expect((await sallyport("keys", "list")).out.find((line) => line.startsWith(id))).toContain("\trevoked\t");
});

it("says what is missing or not known", async () => {
  for (const argv of [
    ["keys", "create"],
    ["keys", "revoke"],
    ["keys", "shred"],
    ["keys", "create", "--name", "x", "--expires", "soon"],
    ["users", "add"],
    ["users", "drop"],
  ])
    expect([argv, (await sallyport(...argv)).code]).toEqual([argv, 1]);
  expect((await sallyport("keys", "create", "--name", "x", "--scopes", "modles:*")).err).toContain("modles");
});

it("a user is added with a password that is shown once, and listed", async () => {
  const added = await sallyport("users", "add", "ada", "--role", "viewer");
  expect([added.code, added.out]).toEqual([0, [expect.stringMatching(/^[\w-]{20}$/)]]);
  expect((await sallyport("users", "list")).out).toEqual([expect.stringMatching(/^user_\w+\tenabled\tdefault\tada$/)]);
  expect((await sallyport("users", "add", "ada")).err).toContain("already a user");
});
