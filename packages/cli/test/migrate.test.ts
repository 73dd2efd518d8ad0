import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { emptyFolder, run, started, stop } from "./command.js";

describe("sallyport migrate", () => {
  it("prints the statements, and makes nothing", async () => {
    const cwd = emptyFolder();
    const { code, out } = await run(["migrate", "--sql"], { cwd }).finished;
    expect(code).toBe(0);
    expect(out).toMatch(/create table/i);
    expect(out).toMatch(/insert into "sallyport_migrations"/i);
    expect(existsSync(join(cwd, ".sallyport"))).toBe(false);
  });

  it("applies them once, and a start afterwards finds all it needs", async () => {
    const cwd = emptyFolder();
    const first = await run(["migrate"], { cwd }).finished;
    expect(first.code).toBe(0);
    expect(first.out).toMatch(/^sqlite \.sallyport\/sallyport\.db: applied 0001_/);
    const again = await run(["migrate"], { cwd }).finished;
    expect(again.out).toBe("sqlite .sallyport/sallyport.db: nothing to do, its tables are those of this version\n");
    expect((await run(["migrate", "--sql"], { cwd }).finished).out.trim()).toBe("");
    expect(statSync(join(cwd, ".sallyport/secret")).mode & 0o777).toBe(0o600);
    expect((await stop(await started({ cwd }))).code).toBe(0);
  });

  it("says that memory has nothing to migrate", async () => {
    const { code, err } = await run(["migrate"], { cwd: emptyFolder(), env: { DATABASE_URL: "memory:" } }).finished;
    expect(code).toBe(1);
    expect(err).toContain("There is nothing to migrate: storage is memory (lost when it stops).");
  });
});
