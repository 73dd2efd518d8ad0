import { startSubjects, startVendor } from "../lib/subjects.mjs";
import { rounds } from "../lib/rounds.mjs";
import { ratio, table, thrift } from "../lib/table.mjs";

const messages = [
  { role: "system", content: "You are a careful assistant. ".repeat(10) },
  { role: "user", content: "Say what the fox does." },
];
const whole = ["thin JSON proxy", "sallyport, memory", "sallyport, sqlite", "portkey, translating", "ai sdk in express"];
/** Portkey answers every stream with 500 as installed on current Node. */
const streamed = whole.filter((name) => !name.startsWith("portkey"));

function bodiesFor(name) {
  const model = name.startsWith("sallyport") ? "claude/mock-1" : "mock-1";
  return {
    whole: JSON.stringify({ model, messages, max_tokens: 1000 }),
    streamed: JSON.stringify({ model, messages, max_tokens: 1000, stream: true }),
  };
}

/** A caller of OpenAI's dialect, answered by a vendor of Anthropic's: whole, and as a stream of 100 chunks. The thin JSON proxy has nothing to translate: it is the measure. */
export async function translate({ count, seconds }) {
  const vendor = await startVendor();
  const subjects = await startSubjects(vendor.port, whole);
  for (const subject of subjects) subject.bodies = bodiesFor(subject.name);
  const asked = (of, names) =>
    subjects
      .filter(({ name }) => names.includes(name))
      .map((subject) => ({ ...subject, request: { ...subject.request, body: subject.bodies[of] } }));
  try {
    const options = { count, seconds, path: "/v1/chat/completions", connections: 32 };
    const answers = await rounds(asked("whole", whole), options);
    const streams = await rounds(asked("streamed", streamed), { ...options, streamed: true, unit: "chunks" });
    table(
      "Chat completion answered by Anthropic's protocol, not streamed, c=32",
      ["subject", "rps", "p50 ms", "p99 ms", "CPU µs/req", "× thin", "by CPU", "× portkey", "× ai sdk"],
      whole.map((name) => {
        const row = answers[name];
        const beside = (other) => ratio(row.perSecond, answers[other].perSecond);
        return [
          name,
          row.perSecond,
          row.p50Ms,
          row.p99Ms,
          row.cpuMicros,
          beside("thin JSON proxy"),
          thrift(row, answers["thin JSON proxy"]),
          beside("portkey, translating"),
          beside("ai sdk in express"),
        ];
      }),
    );
    table(
      "The same, streamed (100 chunks), c=32",
      ["subject", "chunks/s", "first byte p50 ms", "p99 ms", "CPU µs/chunk", "× thin", "by CPU", "× ai sdk"],
      streamed.map((name) => {
        const row = streams[name];
        const beside = (other) => ratio(row.chunksPerSecond, streams[other].chunksPerSecond);
        return [
          name,
          row.chunksPerSecond,
          row.firstByteP50Ms,
          row.firstByteP99Ms,
          row.cpuMicros,
          beside("thin JSON proxy"),
          thrift(row, streams["thin JSON proxy"]),
          beside("ai sdk in express"),
        ];
      }),
    );
    return { answers, streams };
  } finally {
    for (const subject of subjects) await subject.process?.stop();
    await vendor.stop();
  }
}
