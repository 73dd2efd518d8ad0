import { request } from "node:http";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { startSubjects, startVendor } from "../lib/subjects.mjs";
import { table } from "../lib/table.mjs";

/** A peer that starts a process for each session is asked for few. */
const asked = { "sallyport, memory": 500, "mcp-proxy": 500, "sallyport, stdio": 500, "supergateway, stdio": 20 };
const SETTLE_MS = 3_000;

/** What clients of 2025-11-25 cost that are there and say nothing: a session each, with its standing stream, and whatever processes it needs. */
export async function sessions() {
  const vendor = await startVendor();
  const rows = {};
  try {
    for (const [name, count] of Object.entries(asked)) {
      const [subject] = await startSubjects(vendor.port, [name]);
      if (subject === undefined) continue;
      try {
        rows[name] = await held(subject, count);
      } finally {
        await subject.process.stop();
      }
    }
  } finally {
    await vendor.stop();
  }
  table(
    "Memory of MCP sessions, each with its stream, idle",
    ["subject", "sessions", "before MB", "after MB", "kB a session", "processes more"],
    Object.entries(rows).map(([name, row]) => [name, row.sessions, row.beforeMb, row.afterMb, row.kbEach, row.processes]),
  );
  return rows;
}

async function held(subject, count) {
  const { port, process: child } = subject;
  const headers = { ...subject.request.headers };
  delete headers["mcp-session-id"];
  // Whatever is made once is made by the first few.
  const open = [];
  for (let i = 0; i < 5; i++) open.push(await session(port, headers));
  await delay(SETTLE_MS);
  const before = family(child.pid);
  for (let i = 0; i < count; i++) open.push(await session(port, headers));
  await delay(SETTLE_MS);
  const after = family(child.pid);
  for (const stream of open) stream.destroy();
  const mb = (bytes) => Number((bytes / 1e6).toFixed(1));
  return {
    sessions: count,
    ...{ beforeMb: mb(before.bytes), afterMb: mb(after.bytes), kbEach: Number(((after.bytes - before.bytes) / 1e3 / count).toFixed(1)) },
    processes: after.processes - before.processes,
  };
}

async function session(port, headers) {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } };
  const opened = await ask(port, headers, { body: { jsonrpc: "2.0", id: 0, method: "initialize", params } });
  opened.resume();
  const own = { ...headers, "mcp-session-id": opened.headers["mcp-session-id"], "mcp-protocol-version": "2025-11-25" };
  (await ask(port, own, { body: { jsonrpc: "2.0", method: "notifications/initialized" } })).resume();
  const stream = await ask(port, { ...own, accept: "text/event-stream" }, { method: "GET" });
  stream.on("error", () => undefined).resume();
  return stream;
}

function ask(port, headers, { method = "POST", body } = {}) {
  return new Promise((resolve, reject) => {
    const all = { accept: "application/json, text/event-stream", "content-type": "application/json", ...headers };
    const sent = request({ host: "127.0.0.1", port, path: "/mcp", method, headers: all, agent: false }, resolve);
    sent.on("error", reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** Resident memory of a process and all below it. */
function family(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
  const bytes = Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;
  return children
    .map(Number)
    .map(family)
    .reduce((sum, one) => ({ bytes: sum.bytes + one.bytes, processes: sum.processes + one.processes }), { bytes, processes: 1 });
}
