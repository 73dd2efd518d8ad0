import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { emptyFolder, run, started, stop } from "./command.js";

function folderWith(config: object): string {
  const folder = emptyFolder();
  writeFileSync(join(folder, "sallyport.config.json"), JSON.stringify(config));
  return folder;
}

describe.skipIf(!hasService("mariadb"))("sallyport migrate on MariaDB", () => {
  let db: PrivateMariadb;
  beforeAll(async () => {
    db = await privateMariadb();
  });
  afterAll(() => db.dispose());

  /** A database with a role that only reads and writes rows, and its address. */
  async function narrow() {
    const name = await db.database();
    await db.sql(`create user '${name}'@'%' identified by 'hunter2'; grant select, insert, update, delete on ${name}.* to '${name}'@'%'`);
    return { name, url: db.url(name).replace("root@", `${name}:hunter2@`) };
  }

  it("of three processes at once one applies, the others find it done", async () => {
    const name = await db.database();
    const env = { DATABASE_URL: db.url(name) };
    const ended = await Promise.all([1, 2, 3].map(() => run(["migrate"], { cwd: emptyFolder(), env }).finished));
    expect(ended.map(({ code, err }) => `${code} ${err}`)).toEqual(["0 ", "0 ", "0 "]);
    const place = `mysql 127.0.0.1:${db.server.port}/${name}`;
    const said = ended.map(({ out }) => out.trim()).sort();
    expect(said).toEqual([
      `${place}: applied 0001_initial`,
      ...[1, 2].map(() => `${place}: nothing to do, its tables are those of this version`),
    ]);
    expect(await db.sql(`select count(*) from ${name}.sallyport_migrations`)).toBe("1\n");
  });

  it("a role that may change no table prints the script for an administrator, and serves afterwards", async () => {
    const { name, url } = await narrow();
    const env = { DATABASE_URL: url };
    const denied = await run(["migrate"], { cwd: emptyFolder(), env }).finished;
    expect(denied.code).toBe(1);
    expect(denied.err).toMatch(/sallyport migrate --sql/);
    const { code, out } = await run(["migrate", "--sql"], { cwd: emptyFolder(), env }).finished;
    expect(code).toBe(0);
    await db.sql(`use ${name}; ${out}`);
    expect((await run(["migrate"], { cwd: emptyFolder(), env }).finished).out).toMatch(
      /: nothing to do, its tables are those of this version\n$/,
    );

    const gateway = await started({ cwd: folderWith({ storage: { url, migrate: "check" } }) });
    expect(await db.sql(`select count(*) from ${name}.gateway_keys`)).toBe("1\n");
    expect((await stop(gateway)).code).toBe(0);
    const doctor = await run(["doctor"], { cwd: emptyFolder(), env }).finished;
    expect(doctor.out).toMatch(/1 migrations applied, none missing/);
    for (const text of [denied.err, denied.out, out, doctor.out, doctor.err]) expect(text).not.toContain("hunter2");
  });

  it("a gateway that only checks refuses tables that are not those of its version, and names the command", async () => {
    const { url } = await narrow();
    const { code, err } = await run(["start"], { cwd: folderWith({ storage: { url, migrate: "check" } }) }).finished;
    expect(code).toBe(1);
    expect(err).toMatch(/lacks migrations: 0001_initial/);
    expect(err).toMatch(/sallyport migrate/);
    expect(err).not.toContain("hunter2");
  });
});
