import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { emptyFolder, run } from "./command.js";

async function place(): Promise<string> {
  const cwd = emptyFolder();
  for (const args of [
    ["users", "add", "ada"],
    ["keys", "create", "--name", "ci"],
  ])
    expect((await run(args, { cwd }).finished).code).toBe(0);
  return cwd;
}

describe("sallyport export and import", () => {
  it("move a database into another, and list what cannot go", async () => {
    const [from, to] = [await place(), emptyFolder()];
    const made = await run(["export", "all.ndjson.gz"], { cwd: from }).finished;
    expect(made.code).toBe(0);
    expect(made.err).toMatch(/gatewayKey\t1\n/);
    expect(made.err).toMatch(/Secrets that stay here: .*gatewayKey\.digest \(1\).*user\.passwordHash \(1\)/);
    const file = join(from, "all.ndjson.gz");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(gunzipSync(readFileSync(file)).toString()).toMatch(/^\{"sallyport":"backup","format":1,/);
    expect((await run(["export", "all.ndjson.gz"], { cwd: from }).finished).err).toContain("all.ndjson.gz exists.");

    const dry = await run(["import", file, "--dry-run"], { cwd: to }).finished;
    expect(dry.err).toContain("A dry run: nothing is written.");
    const wet = await run(["import", file], { cwd: to }).finished;
    expect([dry.code, wet.code]).toEqual([0, 0]);
    expect(wet.out).toBe(dry.out);
    expect(wet.out).toMatch(/^entity\tcreated\tsame\toverwritten\trefused\telsewhere\ngatewayKey\t1\t0\t0\t0\t0\nuser\t1\t/);
    expect(wet.err).toMatch(/1 row without gatewayKey\.digest: .*keys rotate/);
    expect((await run(["users", "list"], { cwd: to }).finished).out).toContain("\tada\n");
    expect((await run(["import", file], { cwd: to }).finished).out).toMatch(/gatewayKey\t0\t1\t0\t0\t0/);
  });

  it("refuse a file that was cut off or is none, and write nothing", async () => {
    const [from, to] = [await place(), emptyFolder()];
    const { out } = await run(["export"], { cwd: from }).finished;
    writeFileSync(join(to, "cut.ndjson"), out.slice(0, -100));
    writeFileSync(join(to, "cut.ndjson.gz"), readFileSync(join(to, "cut.ndjson")));
    for (const [file, code] of [
      ["cut.ndjson", "state_corrupt"],
      ["cut.ndjson.gz", "state_corrupt"],
      ["none.ndjson", "bad_request"],
    ] as const) {
      const { code: exit, err } = await run(["import", file], { cwd: to }).finished;
      expect([exit, err]).toEqual([1, expect.stringContaining(code)]);
    }
    expect((await run(["users", "list"], { cwd: to }).finished).out).toBe("");
    expect((await run(["export", "--with", "everything"], { cwd: from }).finished).err).toContain("usage, audit, traces, work");
  });
});
