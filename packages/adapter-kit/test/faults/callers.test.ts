import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { bytesOf, endless, holding, sse, transcript } from "@sallyport/adapter-kit";
import { describe, expect, it } from "vitest";
import { cells, faces, vendors } from "./faces.js";
import { ask, askAll, cell } from "./harness.js";

// Callers that leave or do not read: F52, F54; many at once: F65. (F53 is with what happens before the stream.)

const never = new Promise<void>(() => undefined);

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
/** What this process holds, without what is garbage already. */
function heldBytes(): number {
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe.each(cells)("a caller of %s, a vendor of %s:", (face, vendor) => {
  it("F52: a caller that resets in the middle ends the vendor's stream; one row, partial", async () => {
    const frames = transcript(vendors[vendor](), ["One ", "two ", "three."]);
    const set = await cell(holding(sse(frames), { pieces: frames.length - 2, go: never }), { vendor });
    const client = ask(set, { face: faces[face] });
    await client.received(300);
    client.reset();
    // The call's own time is longer than a test's: nothing but the reset ends it here.
    await set.upstream.wires[0]!.closed;
    const { usage, audit } = await set.rows(1);
    expect(usage).toEqual([expect.objectContaining({ partial: true, provider: "lab" })]);
    expect(audit).toEqual([expect.objectContaining({ outcome: "aborted" })]);
  });
});

describe("F52: a reset by the caller after any number of bytes", () => {
  it.each([
    ["chat", "chat"],
    ["messages", "chat"],
  ] as const)("%s ← %s: one row a call, and no connection to the vendor stays busy", async (face, vendor) => {
    const frames = transcript(vendors[vendor](), ["One ", "two ", "three."]);
    const answer = sse(frames);
    const set = await cell(holding(answer, { pieces: frames.length - 1, go: never }), { vendor });
    const most = 300 + bytesOf(answer).length;
    let calls = 0;
    for (let at = 0; at < most; at += 23) {
      const client = ask(set, { face: faces[face] });
      calls++;
      await set.upstream.arrivals(calls);
      // What never comes is not waited for: the last frames are held back.
      await Promise.race([client.received(at), new Promise((later) => setTimeout(later, 30))]);
      client.reset();
    }
    const { usage } = await set.rows(calls);
    expect(usage).toHaveLength(calls);
    expect(usage.every(({ provider }) => provider === "lab")).toBe(true);
    await Promise.all(set.upstream.wires.map(({ closed }) => closed));
  });
});

describe("F54: a caller that does not read", () => {
  it.each([
    ["chat", "chat"],
    ["messages", "chat"],
    ["chat", "google"],
  ] as const)("%s ← %s: holds the vendor back after a bounded number of bytes, and goes on when it reads", async (face, vendor) => {
    const dialect = vendors[vendor]();
    const begin = sse(dialect.begin());
    const text = dialect.text("x".repeat(64_000));
    const piece = Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
    let taken = 0;
    const set = await cell(endless({ begin, piece, taken: (bytes) => (taken = bytes) }), { vendor });
    const before = heldBytes();
    const client = ask(set, { face: faces[face] });
    await client.received(1_000);
    client.pause();
    // Full is when nothing more is taken for a while.
    let last = -1;
    while (last !== taken) {
      last = taken;
      await new Promise((later) => setTimeout(later, 300));
    }
    // Most of it stands in the kernel's buffers of two connections, which it lets grow to 36 MB each where the machine is slow to empty them.
    expect(taken).toBeLessThan(96 * 1024 * 1024);
    expect(heldBytes() - before).toBeLessThan(64 * 1024 * 1024);
    client.resume();
    while (taken === last) await new Promise((later) => setTimeout(later, 5));
    client.reset();
    await set.upstream.wires[0]!.closed;
    expect((await set.rows(1)).usage).toEqual([expect.objectContaining({ partial: true })]);
  });
});

describe("F54: a caller that never reads again", () => {
  it("is let go when its call's time is over, and the vendor with it", async () => {
    const dialect = vendors.chat();
    const text = dialect.text("x".repeat(64_000));
    const piece = Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
    const behaviour = endless({ begin: sse(dialect.begin()), piece, taken: () => undefined });
    const set = await cell(behaviour, { config: { server: { timeouts: { requestMs: 2_000 } } } });
    const client = ask(set);
    await client.received(1_000);
    client.pause();
    await set.upstream.wires[0]!.closed;
    client.reset();
    expect((await set.rows(1)).usage).toEqual([expect.objectContaining({ partial: true })]);
  });
});

describe("F65: many idle streams", () => {
  // 10,000 in the fault's words; scaled to what a test may take of a machine.
  const STREAMS = 400;

  it(`${STREAMS} wait at once, others are answered meanwhile, and each ends as it should`, async () => {
    const frames = transcript(vendors.chat(), ["One ", "two."]);
    let go = (): void => undefined;
    const set = await cell(holding(sse(frames), { pieces: 2, go: new Promise<void>((resolve) => (go = resolve)) }));
    const idle = Array.from({ length: STREAMS }, () => ask(set));
    await set.upstream.arrivals(STREAMS);
    await Promise.all(idle.map((client) => client.received(300)));
    const { status } = await askAll(set, { model: "demo/echo" });
    expect(status).toBe(200);
    go();
    for (const answer of await Promise.all(idle.map((client) => client.answer())))
      expect(faces.chat.read(answer.body)).toMatchObject({ text: "One two.", isFinished: true, error: null });
    expect((await set.rows(STREAMS + 1)).usage.every(({ partial }) => !partial)).toBe(true);
  });
});
