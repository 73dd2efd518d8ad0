import { readdirSync, readFileSync } from "node:fs";
import { checkSync } from "recheck";
import { expect, it } from "vitest";
import { injectionWays } from "./detectors/injection-patterns.js";
import { secretFormats } from "./detectors/secret-formats.js";

process.env["RECHECK_SYNC_BACKEND"] = "pure";
const folder = new URL("./", import.meta.url);
const sources = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
);
/** Literals of this folder, as they stand in its sources. */
const literals = sources.flatMap((file) => {
  const text = readFileSync(new URL(file, folder), "utf8").replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, "");
  return [...text.matchAll(/(?<=[=(,:[!]\s*|^\s+)\/((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/gm)].map(
    ([, source, flags]) => ({
      file,
      source: source!,
      flags: flags!,
    }),
  );
});

it("recheck knows a pattern of exponential time (T42)", () => {
  expect(checkSync("^(a+)+$", "").status).toBe("vulnerable");
});

it("finds the literals that it is to check", () => {
  expect(literals.length).toBeGreaterThan(secretFormats.length + injectionWays.length);
});

// A sticky pattern is tried at one place alone, where recheck tries it at every place: what it may cost there is what counts.
it.each(literals.map(({ file, source, flags }) => [file, source, flags] as const))(
  "%s: /%s/%s is not of exponential time (T42)",
  (_file, source, flags) => {
    const result = checkSync(flags.includes("y") ? `^(?:${source})` : source, flags.replace("y", ""), { timeout: 20_000 });
    expect(result.status === "vulnerable" ? result.complexity.type : result.status).not.toBe("exponential");
    expect(result.status).not.toBe("unknown");
  },
);
