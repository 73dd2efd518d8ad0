import { expect, test } from "vitest";
import { addMissingPlatforms, faultsOf, platformOf } from "./lockfile.mjs";

test.each([
  ["@biomejs/cli-darwin-arm64", { os: ["darwin"], cpu: ["arm64"] }],
  ["@rollup/rollup-linux-x64-musl", { os: ["linux"], cpu: ["x64"], libc: ["musl"] }],
  ["@rollup/rollup-linux-x64-gnu", { os: ["linux"], cpu: ["x64"], libc: ["glibc"] }],
  ["@rollup/rollup-win32-x64-gnu", { os: ["win32"], cpu: ["x64"] }],
  ["@rollup/rollup-android-arm-eabi", { os: ["android"], cpu: ["arm"] }],
  ["fsevents", null],
])("the name %s says which platform it is for", (name, platform) => {
  expect(platformOf(name)).toEqual(platform);
});

test("an optional binary that the lockfile does not name is added in the version that its parent wants, and only once", () => {
  /** @type {Record<string, object>} */
  const packages = {
    "node_modules/rollup": { version: "4.0.0", dev: true, optionalDependencies: { "@rollup/rollup-darwin-x64": "4.0.0" } },
  };
  expect(addMissingPlatforms(packages)).toEqual(["@rollup/rollup-darwin-x64"]);
  expect(packages["node_modules/@rollup/rollup-darwin-x64"]).toEqual({
    version: "4.0.0",
    os: ["darwin"],
    cpu: ["x64"],
    dev: true,
    optional: true,
  });
  expect(addMissingPlatforms(packages)).toEqual([]);
});

test("a registry's address and a package without integrity are faults (T29)", () => {
  const integrity = "sha512-x";
  expect(
    faultsOf({ "": {}, "packages/core": {}, "node_modules/a": { version: "1.0.0", integrity }, "node_modules/core": { link: true } }),
  ).toEqual([]);
  expect(faultsOf({ "node_modules/a": { version: "1.0.0", integrity, resolved: "https://registry.example/a.tgz" } })).toHaveLength(1);
  expect(faultsOf({ "node_modules/a": { version: "1.0.0" } })).toEqual(["node_modules/a has no integrity"]);
});
