import { expect, it } from "vitest";
import { Log, logLines } from "./log.js";

function lines(format: "text" | "json", level: "info" | "silent" = "info") {
  const written: string[] = [];
  const log = new Log(level, logLines(format, { write: (line) => written.push(line), now: () => Date.UTC(2026, 10, 21, 9, 30) }));
  return { log, written };
}

it("writes a line for people", () => {
  const { log, written } = lines("text");
  log.info("the store answers again", { attempts: 3, code: "store_unavailable", name: "a b", missing: undefined });
  log.debug("below the level");
  expect(written).toEqual(['09:30:00.000 info  the store answers again attempts=3 code=store_unavailable name="a b"']);
});

it("writes one object a line", () => {
  const { log, written } = lines("json");
  log.error("failed", { id: "x" });
  expect(written.map((line) => JSON.parse(line) as unknown)).toEqual([
    { time: "2026-11-21T09:30:00.000Z", level: "error", message: "failed", id: "x" },
  ]);
});

it("lets no value forge a line or move the cursor", () => {
  for (const format of ["text", "json"] as const) {
    const { log, written } = lines(format);
    log.warn("name \n09:30 error forged", { value: "\u001b[2J\r\n\u2028\u202eabc" });
    expect(written).toHaveLength(1);
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(written[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u202e]/);
  }
});

it("is silent when told so", () => {
  const { log, written } = lines("text", "silent");
  log.error("nothing");
  expect(written).toEqual([]);
});
