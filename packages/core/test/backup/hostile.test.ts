import { describe, expect, it } from "vitest";
import { LineDigest } from "../../src/backup/backup-lines.js";
import { exportStore } from "../../src/backup/export-store.js";
import { importStore } from "../../src/backup/import-store.js";
import { gatewayKey, run, runStep, storedProvider, task } from "../../src/entities/index.js";
import { memoryStore } from "../../src/memory/index.js";
import { crypto } from "../../src/platform/node-crypto.js";
import { append, insert, type RecordStore } from "../../src/ports/index.js";
import { clock, everything, exported, fill, imported, keyRow, providerRow, runRow, seal, soon, system, taskRow } from "./stored-rows.js";

const memory = (): RecordStore => memoryStore({ clock });
type Line = Record<string, unknown>;
const linesOf = (file: Buffer): Line[] =>
  file
    .toString("utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

async function good(): Promise<Buffer> {
  const from = memory();
  await fill(from, [
    insert(gatewayKey, keyRow("key_1") as never),
    insert(run, runRow("run_1") as never),
    append(runStep, "run_1", {
      entries: [1, 2].map((step) => ({ projectId: "p1", attempt: 1, step, kind: "model.done" as const, body: { text: "ü𝄞" } })),
    }),
    insert(task, taskRow("task_1") as never),
    insert(task, taskRow("task_2", { projectId: "p2" }) as never),
    insert(storedProvider, providerRow("provider_1", { apiKey: "sealed" }) as never),
  ]);
  return exported(from);
}

/** A file as whoever has an export can write one: its lines changed, its end made to fit. */
function written(lines: readonly (Line | string)[]): Buffer {
  const digest = new LineDigest(crypto);
  const counts: Record<string, number> = Object.create(null) as Record<string, number>;
  const text = lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)));
  for (const [i, line] of text.entries()) {
    digest.add(Buffer.from(line));
    if (i === 0) continue;
    const { entity } = JSON.parse(line) as { entity: string };
    counts[entity] = (counts[entity] ?? 0) + 1;
  }
  const told = { end: true, counts, lost: {}, apart: {} };
  digest.add(Buffer.from(JSON.stringify(told)));
  const last = JSON.stringify({ ...told, sha256: digest.hex });
  return Buffer.from([...text, last, ""].join("\n"));
}
const rewritten = (file: Buffer, change: (lines: Line[]) => readonly (Line | string)[]): Buffer =>
  written(change(linesOf(file).slice(0, -1)));

async function refusal(file: Uint8Array, o: { readonly maxLineBytes?: number } = {}): Promise<{ code: string; wrote: boolean }> {
  const to = memory();
  const empty = (await exported(to)).toString().length;
  const error = await imported(to, file, o).then(
    () => ({ code: "none" }),
    (thrown: unknown) => thrown as { code: string },
  );
  return { code: error.code, wrote: (await exported(to)).toString().length !== empty };
}
const nothing = { wrote: false };

describe("a file that is not whole", () => {
  it("is refused wherever it was cut off, before anything is written", async () => {
    const file = await good();
    for (let at = 0; at < file.length - 1; at += 7) {
      const { code, wrote } = await refusal(file.subarray(0, at));
      expect([at, wrote]).toEqual([at, false]);
      expect(["state_corrupt", "bad_request"]).toContain(code);
    }
    // Whole lines that are gone from the middle.
    const lines = file.toString("utf8").trimEnd().split("\n");
    for (let gone = 1; gone < lines.length; gone++)
      expect(await refusal(Buffer.from(lines.filter((_, i) => i !== gone).join("\n")))).toEqual({ code: "state_corrupt", ...nothing });
  });

  it("is refused whichever bit of it was flipped", async () => {
    const file = await good();
    for (let at = 0; at < file.length - 1; at += 5) {
      const flipped = Buffer.from(file);
      flipped[at] = flipped[at]! ^ (1 << (at % 8));
      const { code, wrote } = await refusal(flipped);
      expect([at, wrote, code === "none"]).toEqual([at, false, false]);
    }
  });

  it("is refused when it is of another format, is none, or goes on after its end", async () => {
    const file = await good();
    const [header] = linesOf(file);
    expect(await refusal(written([{ ...header, format: 2 }]))).toEqual({ code: "bad_request", ...nothing });
    expect(await refusal(written([{ ...header, entities: "all" }]))).toEqual({ code: "state_corrupt", ...nothing });
    for (const text of ["", "\n", "[]", "null", "hello", "{}", '{"sallyport":"other"}', "\u0000", "\xff\xfe"])
      expect(["bad_request", "state_corrupt"]).toContain((await refusal(Buffer.from(text, "latin1"))).code);
    expect(await refusal(Buffer.concat([file, Buffer.from('{"entity":"task","row":{"id":"x"}}\n')]))).toEqual({
      code: "state_corrupt",
      ...nothing,
    });
  });

  it("is refused for a line without end, without holding it", async () => {
    const [header] = linesOf(await good());
    const giant = Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n{"entity":"task","row":{"id":"`), Buffer.alloc(3_000_000, 97)]);
    expect(await refusal(giant, { maxLineBytes: 1_000_000 })).toEqual({ code: "payload_too_large", ...nothing });
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from(JSON.stringify(header) + "\n");
      for (;;) {
        given += 65_536;
        yield Buffer.alloc(65_536, 97);
      }
    }
    const target = { store: memory(), clock, entities: everything, placeholders: { crypto, seal } };
    await expect(importStore(target, endless, { maxLineBytes: 1_000_000 })).rejects.toMatchObject({ code: "payload_too_large" });
    expect(given).toBeLessThan(1_200_000);
  });

  it("is refused when it repeats an id, or is out of order", async () => {
    const file = await good();
    const twice = rewritten(file, (lines) => [...lines.slice(0, -1), lines.at(-1)!, lines.at(-1)!]);
    expect(await refusal(twice)).toEqual({ code: "state_corrupt", ...nothing });
    const swapped = rewritten(file, ([header, ...rest]) => [header!, ...rest.reverse()]);
    expect(await refusal(swapped)).toEqual({ code: "state_corrupt", ...nothing });
    const unnamed = rewritten(file, ([header, ...rest]) => [header!, { entity: "nobody", row: { id: "x" } }, ...rest]);
    expect(await refusal(unnamed)).toEqual({ code: "state_corrupt", ...nothing });
    const stray = rewritten(file, (lines) => lines.filter((line) => line["entity"] !== "run"));
    expect(await refusal(stray)).toEqual({ code: "state_corrupt", ...nothing });
  });
});
describe("rows that somebody else wrote", () => {
  const refusedOf = async (change: (lines: Line[]) => readonly (Line | string)[], o = {}) => {
    const to = memory();
    const file = rewritten(await good(), change);
    const report = await imported(to, file, o);
    const dry = await imported(memory(), file, { ...o, dryRun: true });
    expect(dry.refused).toEqual(report.refused);
    return { to, report, refused: report.refused };
  };
  const withRow = (entity: string, over: Line) => (lines: Line[]) =>
    lines.map((line) => (line["entity"] === entity && "row" in line ? { ...line, row: { ...(line["row"] as Line), ...over } } : line));

  it("carry no secret: a key whose hash somebody chose is not written", async () => {
    const { to, refused } = await refusedOf(withRow("gatewayKey", { digest: "a".repeat(64) }));
    expect(refused).toEqual([{ entity: "gatewayKey", id: "key_1", why: "it carries digest, which no backup does" }]);
    expect(await to.get(gatewayKey, "key_1", system, soon())).toBeNull();
    expect((await refusedOf(withRow("provider", { apiKey: null }))).refused[0]?.why).toContain("apiKey");
  });

  it("are held against their entity's schema, field by field", async () => {
    for (const [over, why] of [
      [{ status: "done" }, "status is not valid"],
      [{ priority: "1" }, "priority is not valid"],
      [{ createdBy: "x".repeat(101) }, "createdBy is not valid"],
      [{ version: 9 }, 'it has a field "version" that this version does not know'],
      [{ owner: "me" }, 'it has a field "owner" that this version does not know'],
      [{ createdBy: "\ud800" }, "half a surrogate pair"],
      [{ dueAtMs: 2 ** 60 }, "dueAtMs is not valid"],
    ] as const) {
      const { refused } = await refusedOf(withRow("task", over));
      expect(refused.map(({ id }) => id)).toEqual(["task_1", "task_2"]);
      expect(refused[0]?.why).toContain(why);
    }
    const { refused } = await refusedOf((lines) =>
      lines.map((line) =>
        line["entity"] === "task"
          ? { ...line, row: { ...(line["row"] as Line), id: `${"é".repeat(3)}${String((line["row"] as Line)["id"])}` } }
          : line,
      ),
    );
    expect(refused.every(({ why }) => why.includes("is not an id"))).toBe(true);
  });

  it("with __proto__ change no object's nature", async () => {
    const raw = (lines: Line[]) =>
      lines.map((line) =>
        line["entity"] === "task" ? JSON.stringify(line).replace('"row":{', '"row":{"__proto__":{"polluted":1},') : line,
      );
    const { refused } = await refusedOf(raw);
    expect(refused.map(({ why }) => why)).toEqual(
      Array.from({ length: 2 }, () => 'it has a field "__proto__" that this version does not know'),
    );
    const inside = (lines: Line[]) =>
      lines.map((line) =>
        line["entity"] === "task" ? JSON.stringify(line).replace('"payload":1', '"payload":{"__proto__":{"polluted":1}}') : line,
      );
    const { to } = await refusedOf(inside);
    expect(JSON.stringify((await to.get(task, "task_1", system, soon()))?.payload)).toBe('{"__proto__":{"polluted":1}}');
    const named = await refusedOf(([header, ...rest]) => [
      { ...header, entities: ["__proto__", "constructor", ...(header!["entities"] as string[])] },
      '{"entity":"__proto__","row":{"id":"a"}}',
      '{"entity":"constructor","row":{"id":"a"}}',
      ...rest,
    ]);
    expect(named.refused.map(({ why }) => why)).toEqual(["this version knows no __proto__", "this version knows no constructor"]);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it("of entities that never move, or that nobody knows, are refused", async () => {
    const planted = ["dataKey", "webSession", "idempotencyKey", "tomorrow"];
    const { refused } = await refusedOf(([header, ...rest]) => [
      { ...header, entities: [...planted, ...(header!["entities"] as string[])] },
      ...planted.map((entity) => ({ entity, row: { id: "a", state: "active" } })),
      ...rest,
    ]);
    expect(refused.map(({ entity, why }) => [entity, why])).toEqual([
      ...["dataKey", "webSession", "idempotencyKey"].map((entity) => [entity, "rows of it are never moved"]),
      ["tomorrow", "this version knows no tomorrow"],
    ]);
  });

  it("of another project than the file says are refused", async () => {
    const to = memory();
    const from = memory();
    await fill(from, [insert(task, taskRow("task_1", { projectId: "p2" }) as never)]);
    const file = rewritten(await exported(from, { project: "p2" }), withRow("task", { projectId: "p1" }));
    const { refused } = await imported(to, file);
    expect(refused).toEqual([{ entity: "task", id: "task_1", why: "it is not of p2, of which alone this file is said to be" }]);
    expect(await to.get(task, "task_1", system, soon())).toBeNull();
  });

  it("take no stream that belongs to nobody, and no gap", async () => {
    const { to, refused } = await refusedOf(withRow("run", { status: "nonsense" }));
    expect(refused.map(({ entity, why }) => [entity, why])).toEqual([
      ["run", "status is not valid"],
      ["runStep", "there is no run that it belongs to"],
      ["runStep", "there is no run that it belongs to"],
    ]);
    expect(await to.read(runStep, "run_1", { afterSeq: 0, limit: 9 }, system, soon())).toEqual([]);
    const later = await refusedOf((lines) => lines.filter((line) => line["seq"] !== 1));
    expect(later.refused.map(({ why }) => why)).toEqual(["the beginning of its stream is missing"]);
  });
});

it("refuses entries of another project than the row's that they belong to", async () => {
  const entries = [1, 2].map((step) => ({ projectId: "p1", attempt: 1, step, kind: "model.done" as const, body: {} }));
  const from = memory();
  await fill(from, [insert(run, runRow("run_1") as never), append(runStep, "run_1", { entries })]);
  const moved = (line: Line): Line =>
    line["entity"] === "runStep" ? { ...line, entry: { ...(line["entry"] as object), projectId: "p2" } } : line;
  const to = memory();
  const { refused } = await imported(
    to,
    rewritten(await exported(from), (lines) => lines.map(moved)),
  );
  expect(refused).toEqual(expect.arrayContaining([{ entity: "runStep", id: "run_1", why: expect.stringContaining("another project") }]));
  expect(await to.read(runStep, "run_1", { afterSeq: 0, limit: 9 }, system, soon())).toEqual([]);
});

describe("a large store", () => {
  it("is read and written without being held", async () => {
    const rows = 3_000;
    const [from, to] = [memory(), memory()];
    for (let i = 0; i < rows; i += 1_000)
      await from.commit(
        Array.from({ length: 1_000 }, (_, n) => ({
          scope: system,
          writes: [insert(task, taskRow(`task_${String(i + n).padStart(6, "0")}`, { payload: "x".repeat(200) }) as never)],
        })),
        soon(),
      );
    // What it holds beside the stores is a page: seen by how far the reader is ahead of the writer.
    let ahead = 0;
    let most = 0;
    const counted: RecordStore = Object.assign(Object.create(to) as RecordStore, {
      find: to.find.bind(to),
      read: to.read.bind(to),
      now: to.now.bind(to),
      commit: async (...args: Parameters<RecordStore["commit"]>) => {
        ahead -= args[0].length;
        return to.commit(...args);
      },
    });
    let isSecond = false;
    const open = (): AsyncGenerator<Uint8Array> => {
      const counts = isSecond;
      isSecond = true;
      return (async function* () {
        for await (const chunk of exportStore({ store: from, clock, crypto, entities: everything })) {
          if (counts) ahead += Buffer.from(chunk).toString("latin1").split("\n").length - 1;
          most = Math.max(most, ahead);
          yield chunk;
        }
      })();
    };
    const report = await importStore({ store: counted, clock, entities: everything, placeholders: { crypto, seal } }, open);
    expect(report.entities).toEqual([{ entity: "task", created: rows, same: 0, overwritten: 0, refused: 0, elsewhere: 0 }]);
    expect(most).toBeLessThan(1_000);
  });
});
