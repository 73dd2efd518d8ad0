import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { readSecretFile, secretFile } from "./secret-file.js";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "sallyport-secret-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it("is made once, for its owner alone, and is the same from then on", () => {
  const path = join(folder, "data/secret");
  expect(readSecretFile(path)).toBeNull();
  const made = secretFile(path);
  expect(Buffer.from(made, "base64")).toHaveLength(32);
  expect(secretFile(path)).toBe(made);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(folder, "data")).mode & 0o777).toBe(0o700);
  expect(readdirSync(join(folder, "data")), "no draft is left").toEqual(["secret"]);
});

it("says why it cannot be read or made", () => {
  mkdirSync(join(folder, "secret"));
  expect(() => secretFile(join(folder, "secret"))).toThrow(expect.objectContaining({ code: "misconfigured" }) as Error);
  writeFileSync(join(folder, "file"), "");
  expect(() => secretFile(join(folder, "file/secret"))).toThrow(expect.objectContaining({ code: "misconfigured" }) as Error);
});
