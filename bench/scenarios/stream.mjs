import { connect } from "node:net";
import { startSubjects, startVendor } from "../lib/subjects.mjs";
import { rounds } from "../lib/rounds.mjs";
import { ratio, table, thrift } from "../lib/table.mjs";

const names = ["direct", "thin JSON proxy", "sallyport, memory", "sallyport, sqlite"];
const OPEN = 1000;

/** A stream of 100 chunks at 32 connections, and the memory of 1,000 streams held open. Portkey answers every stream with 500 as installed on current Node; it is left out here. */
export async function stream({ count, seconds }) {
  const vendor = await startVendor();
  const subjects = await startSubjects(vendor.port, names);
  try {
    const body = JSON.stringify({ model: "mock/mock-1", stream: true, messages: [{ role: "user", content: "Say what the fox does." }] });
    const many = await rounds(subjects, {
      count,
      seconds,
      path: "/v1/chat/completions",
      body,
      connections: 32,
      streamed: true,
      unit: "chunks",
    });
    const memory = {};
    for (const subject of subjects) memory[subject.name] = subject.process === null ? null : await openStreams(subject);
    const thin = many["thin JSON proxy"];
    table(
      "Chat completion, streamed (100 chunks)",
      ["subject", "chunks/s", "first byte p50 ms", "p99 ms", "CPU µs/chunk", "× thin", "by CPU", "kB an open stream"],
      names.map((name) => {
        const row = many[name];
        return [
          name,
          row.chunksPerSecond,
          row.firstByteP50Ms,
          row.firstByteP99Ms,
          row.cpuMicros,
          ratio(row.chunksPerSecond, thin.chunksPerSecond),
          thrift(row, thin),
          memory[name],
        ];
      }),
    );
    return { many, memory };
  } finally {
    for (const subject of subjects) await subject.process?.stop();
    await vendor.stop();
  }
}

/** kB of resident memory that each of 1,000 held streams adds. */
async function openStreams(subject) {
  const body = JSON.stringify({ model: "mock/mock-1", stream: true, messages: [{ role: "user", content: "hold open" }] });
  const head = Object.entries(subject.request.headers ?? {})
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join("");
  const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${subject.port}\r\ncontent-type: application/json\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
  const before = subject.process.residentBytes();
  const sockets = [];
  await new Promise((resolve, reject) => {
    let open = 0;
    for (let i = 0; i < OPEN; i++) {
      const socket = connect(subject.port, "127.0.0.1", () => socket.write(request));
      sockets.push(socket);
      socket.on("error", reject);
      socket.once("data", () => ++open === OPEN && resolve());
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = subject.process.residentBytes();
  for (const socket of sockets)
    socket
      .removeAllListeners("error")
      .on("error", () => undefined)
      .destroy();
  await new Promise((resolve) => setTimeout(resolve, 500));
  return Number(((after - before) / OPEN / 1024).toFixed(1));
}
