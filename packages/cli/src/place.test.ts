import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findPlace, loadPlace, shortPath } from "./place.js";

let cwd: string;
beforeEach(() => void (cwd = mkdtempSync(join(tmpdir(), "sallyport-place-"))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

it("needs no file, and keeps everything in .sallyport below the working directory", () => {
  const place = findPlace({ cwd, env: {}, flags: {} });
  expect(place).toMatchObject({
    file: null,
    configPath: join(cwd, "sallyport.config.json"),
    dataDir: join(cwd, ".sallyport"),
    secretPath: join(cwd, ".sallyport/secret"),
    databasePath: join(cwd, ".sallyport/sallyport.db"),
  });
});

it("takes both paths from the environment, and from flags before that", () => {
  writeFileSync(join(cwd, "a.json"), '{"server": {"port": 1}}');
  writeFileSync(join(cwd, "b.json"), '{"server": {"port": 2}}');
  const env = { SALLYPORT_CONFIG: "a.json", SALLYPORT_DATA: "/somewhere" };
  const fromEnv = findPlace({ cwd, env, flags: {} });
  expect(loadPlace(fromEnv, {}).config.server.port).toBe(1);
  expect(fromEnv.dataDir).toBe("/somewhere");
  const fromFlags = findPlace({ cwd, env, flags: { config: "b.json", data: "here" } });
  expect(loadPlace(fromFlags, {}).config.server.port).toBe(2);
  expect(fromFlags.dataDir).toBe(join(cwd, "here"));
});

it("lets the flags win over file and environment", () => {
  writeFileSync(join(cwd, "sallyport.config.json"), '{"server": {"port": 1, "host": "127.0.0.2"}}');
  const flags = { port: 3, host: "127.0.0.4" };
  const place = findPlace({ cwd, env: { PORT: "2" }, flags });
  expect(loadPlace(place, flags).config.server).toMatchObject({ port: 3, host: "127.0.0.4" });
});

it.each([
  ["missing.json", "does not exist"],
  ["folder", "is a folder"],
])("says so when the file that was asked for is %s", (name, why) => {
  mkdirSync(join(cwd, "folder"));
  expect(() => findPlace({ cwd, env: { SALLYPORT_CONFIG: name }, flags: {} })).toThrow(
    expect.objectContaining({ code: "invalid_config", message: `The configuration file ${name} ${why}.` }) as Error,
  );
});

it("shortens a path that lies below, and no other", () => {
  expect(shortPath("/a/b/c", "/a")).toBe("b/c");
  expect(shortPath("/x", "/a")).toBe("/x");
  expect(shortPath("/a", "/a")).toBe("/a");
});
