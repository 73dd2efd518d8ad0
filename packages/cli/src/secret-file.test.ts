import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { findPlace } from "./place.js";
import { ensureSecret, findSecret } from "./secret-file.js";

let cwd: string;
beforeEach(() => void (cwd = mkdtempSync(join(tmpdir(), "sallyport-secret-"))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));
const place = (env: NodeJS.ProcessEnv = {}) => findPlace({ cwd, env, flags: {} });

it("is made once, for its owner alone, and is the same from then on", () => {
  expect(findSecret(place())).toBeNull();
  const made = ensureSecret(place());
  expect(Buffer.from(made.text, "base64")).toHaveLength(32);
  expect(ensureSecret(place())).toEqual(made);
  expect(statSync(place().secretPath).mode & 0o777).toBe(0o600);
  expect(statSync(place().dataDir).mode & 0o777).toBe(0o700);
});

it("comes from the environment when it is there, and then no file is made", () => {
  expect(ensureSecret(place({ SALLYPORT_SECRET: "given" }))).toEqual({ text: "given", from: "environment" });
  expect(existsSync(place().dataDir)).toBe(false);
});

it("is not made anew beside a database that needs the old one", () => {
  mkdirSync(place().dataDir);
  writeFileSync(place().databasePath, "");
  expect(() => ensureSecret(place())).toThrow(
    expect.objectContaining({
      code: "misconfigured",
      message: ".sallyport/sallyport.db is there, but the secret it was made with is not (.sallyport/secret).",
    }) as Error,
  );
});

it("says which folder cannot be made", () => {
  writeFileSync(join(cwd, ".sallyport"), "a file");
  expect(() => ensureSecret(place())).toThrow(expect.objectContaining({ code: "misconfigured" }) as Error);
  expect(readFileSync(join(cwd, ".sallyport"), "utf8")).toBe("a file");
});
