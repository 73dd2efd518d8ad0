import { startSubjects, startVendor } from "../lib/subjects.mjs";
import { rounds } from "../lib/rounds.mjs";
import { ratio, table, thrift } from "../lib/table.mjs";

const messages = [
  { role: "system", content: "You are a careful assistant. ".repeat(10) },
  { role: "user", content: "Say what the fox does." },
];
const names = ["direct", "thin JSON proxy", "sallyport, memory", "sallyport, sqlite", "portkey"];

/** One chat completion of 1.4 kB, not streamed, at 1 and at 32 connections, and the added latency at 300 requests a second. */
export async function chat({ count, seconds }) {
  const vendor = await startVendor();
  const subjects = await startSubjects(vendor.port, names);
  try {
    const body = JSON.stringify({ model: "mock/mock-1", messages, temperature: 0.2 });
    const options = { count, seconds, path: "/v1/chat/completions", body };
    const one = await rounds(subjects, { ...options, connections: 1 });
    const many = await rounds(subjects, { ...options, connections: 32 });
    const paced = await rounds(subjects, { ...options, connections: 8, ratePerSecond: 300 });
    const thin = many["thin JSON proxy"];
    table(
      "Chat completion, not streamed",
      [
        "subject",
        "c=1 rps",
        "p50 ms",
        "p99 ms",
        "c=32 rps",
        "p50 ms",
        "p99 ms",
        "CPU µs/req",
        "× thin",
        "by CPU",
        "× portkey",
        "300/s p50",
        "p99",
      ],
      names.map((name) => {
        const [a, b, c] = [one[name], many[name], paced[name]];
        return [
          name,
          a.perSecond,
          a.p50Ms,
          a.p99Ms,
          b.perSecond,
          b.p50Ms,
          b.p99Ms,
          b.cpuMicros,
          ratio(b.perSecond, thin.perSecond),
          thrift(b, thin),
          ratio(b.perSecond, many.portkey.perSecond),
          c.p50Ms,
          c.p99Ms,
        ];
      }),
    );
    return { one, many, paced };
  } finally {
    for (const subject of subjects) await subject.process?.stop();
    await vendor.stop();
  }
}
