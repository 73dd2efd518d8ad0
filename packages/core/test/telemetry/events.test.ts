import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { watched } from "./harness.js";

const page = readFileSync(new URL("../../../../docs/reference/events.md", import.meta.url), "utf8");
const source = readFileSync(new URL("../../src/seams/event-hub.ts", import.meta.url), "utf8");

it("documents every event with its fields, and none that is not there", () => {
  const map = source.slice(source.indexOf("export interface GatewayEvents"), source.indexOf("/** The one event map"));
  const declared = new Map<string, string[]>();
  for (const [, name, body] of map.matchAll(/"([a-z.]+)": \(e: \{([^}]*)\}\) => void/g))
    declared.set(
      name!,
      [...body!.matchAll(/readonly (\w+):/g)].map(([, field]) => field!),
    );
  expect(declared.size).toBeGreaterThan(5);
  const documented = new Map<string, string[]>();
  for (const [, name, fields] of page.matchAll(/^\| `([a-z.]+)` \| ([^|]*) \|/gm))
    documented.set(
      name!,
      [...fields!.matchAll(/`(\w+)`/g)].map(([, field]) => field!),
    );
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(declared));
});

it("cannot fail a call, however it fails itself: at once, later, with no Error, with a thenable (F88)", async () => {
  const { gateway, chat } = await watched();
  const faults: unknown[] = [];
  gateway.on("internal.error", ({ error }) => void faults.push(error));
  gateway.on("call.finished", () => {
    throw new Error("at once");
  });
  gateway.on("call.finished", () => {
    // oxlint-disable-next-line typescript/only-throw-error -- that it is none is the point
    throw null;
  });
  gateway.on("call.finished", () => Promise.reject(new Error("later")) as unknown as void);
  // oxlint-disable-next-line unicorn/no-thenable -- that it is one is the point
  gateway.on("call.finished", () => ({ then: (_: unknown, fail: (error: unknown) => void) => fail("a thenable") }) as unknown as void);
  let heard = 0;
  gateway.on("call.finished", () => void heard++);
  for (let i = 0; i < 3; i++) expect((await chat()).status).toBe(200);
  await expect.poll(() => faults.length).toBe(12);
  expect(heard).toBe(3);
});
