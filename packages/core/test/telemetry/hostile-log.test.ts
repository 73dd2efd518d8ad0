import fc from "fast-check";
import pino from "pino";
import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { loggerLines, Log, logLines, type LogFields } from "../../src/util/log.js";
import { watched } from "./harness.js";

const now = () => Date.UTC(2026, 10, 21, 9, 30);
const nasty = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.constantFrom(
    "a\r\nlevel=error forged",
    "\u001b[2J\u001b[31mred",
    '","level":"error","message":"forged',
    "\u2028\u2029\u0085",
    "\ud800",
    "a=b c=d",
    "\u202egnp.exe",
  ),
);
const fields = fc.dictionary(
  fc.oneof(nasty, fc.constantFrom("time", "level", "message", "__proto__", "")),
  fc.oneof(nasty, fc.double(), fc.boolean(), fc.constant(null)),
  {
    maxKeys: 6,
  },
);

it("writes each of 10,000 hostile entries as exactly one line that reads back, whose own parts nobody replaces (T46)", () => {
  fc.assert(
    fc.property(nasty, fields, (message, hostile) => {
      const lines: string[] = [];
      const log = new Log("debug", logLines("json", { write: (line) => lines.push(line), now }));
      log.warn(message, hostile as LogFields);
      expect(lines).toHaveLength(1);
      const line = lines[0]!;
      expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
      const read = JSON.parse(line) as Record<string, unknown>;
      expect(read["level"]).toBe("warn");
      expect(read["time"]).toBe(new Date(now()).toISOString());
      expect(read["message"]).toBe(message);
    }),
    { numRuns: 10_000 },
  );
});

it("writes text for people on one line too, without what moves a terminal's cursor (T46)", () => {
  fc.assert(
    fc.property(nasty, fields, (message, hostile) => {
      const lines: string[] = [];
      new Log("debug", logLines("text", { write: (line) => lines.push(line), now })).info(message, hostile as LogFields);
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/^09:30:00\.000 info {2}/);
      expect(lines[0]).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/);
    }),
    { numRuns: 2_000 },
  );
});

it("does not let a huge field make a huge line (T46)", () => {
  const lines: string[] = [];
  const log = new Log("debug", logLines("json", { write: (line) => lines.push(line), now }));
  log.error("x".repeat(1_000_000), Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`f${i}`, "y".repeat(100_000)])));
  expect(lines[0]!.length).toBeLessThan(250_000);
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: "error" });
});

it("goes on when the log cannot be written: the line is dropped and counted, the call is answered (F91)", async () => {
  const full = () => {
    throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  };
  const { gateway, chat, get } = await watched({ log: full, logging: { level: "debug" } });
  expect((await chat({ body: { model: "nobody/x" } })).status).toBe(404);
  expect((await chat()).status).toBe(200);
  gateway.log.warn("one more");
  expect(gateway.log.dropped).toBeGreaterThan(0);
  expect((await get("/metrics")).text).toMatch(/sallyport_log_lines_dropped_total [1-9]/);
});

it("writes to the host's pino, whose own fields stay its own, with secrets taken out (T26)", async () => {
  const lines: string[] = [];
  const stream = new Writable({ write: (chunk: Buffer, _encoding, done) => (lines.push(chunk.toString()), done()) });
  const canary = "canary-of-a-log-line-1a2b3c4d";
  const { gateway } = await watched({
    log: pino({ level: "debug" }, stream),
    logging: { level: "debug" },
    providers: { openai: { apiKey: canary } },
  });
  gateway.log.warn(`the key is ${canary}`, { level: "forged", pid: 1, provider: "p", password: "hunter2-hunter2" });
  const line = JSON.parse(lines.find((one) => one.includes("the key is"))!) as Record<string, unknown>;
  expect(line).toMatchObject({ level: 40, msg: "the key is ***", provider: "p", level_: "forged", password: "***" });
  expect(line["pid"]).toBe(process.pid);
  expect(lines.join("")).not.toContain(canary);
  const seen: unknown[] = [];
  loggerLines({ debug: () => undefined, info: () => undefined, warn: () => undefined, error: (...args) => void seen.push(args) })(
    "error",
    "m",
    { a: 1 },
  );
  expect(seen).toEqual([[{ a: 1 }, "m"]]);
});
