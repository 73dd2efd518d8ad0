import { startSubjects, startVendor } from "../lib/subjects.mjs";
import { rounds } from "../lib/rounds.mjs";
import { ratio, table, thrift } from "../lib/table.mjs";
import { sessions } from "./mcp-sessions.mjs";

const accept = { accept: "application/json, text/event-stream" };
const overHttp = ["direct", "thin JSON proxy", "sallyport, memory", "sallyport, sqlite", "sdk passthrough", "mcp-proxy"];
const overStdio = ["sallyport, stdio", "mcp-proxy, stdio", "supergateway, stdio"];
const listers = ["direct", "thin proxy, list kept", "sallyport, memory", "mcp-proxy"];

/**
 * `tools/call` of an echo tool behind HTTP and behind a child process, at 1 and 32 connections; `tools/list` of 1,000 and 10,000 tools; the memory of 500 sessions. `only` names
 * some of calls, stdio, lists, sessions.
 */
export async function mcp({ count, seconds, only }) {
  const parts = { calls, stdio, lists, sessions };
  const chosen = only === undefined ? Object.keys(parts) : only.split(",");
  const results = {};
  for (const name of chosen) results[name] = await parts[name]({ count, seconds });
  return results;
}

async function calls({ count, seconds }) {
  const vendor = await startVendor();
  try {
    const seen = await echoed(vendor, overHttp, { count, seconds });
    const [thin, direct, peer] = [seen.many["thin JSON proxy"], seen, seen.many["mcp-proxy"]];
    table(
      "MCP tools/call (echo), server over HTTP",
      [...columns, "× thin", "by CPU", "× mcp-proxy"],
      overHttp.map((name) => {
        const row = seen.many[name];
        return [
          ...cells(seen, name, direct),
          ratio(row.perSecond, thin.perSecond),
          thrift(row, thin),
          ratio(row.perSecond, peer?.perSecond),
        ];
      }),
    );
    return seen;
  } finally {
    await vendor.stop();
  }
}

async function stdio({ count, seconds }) {
  const seen = await echoed({ port: 0 }, overStdio, { count, seconds });
  const ours = seen.many["sallyport, stdio"];
  table(
    "MCP tools/call (echo), server as a child process",
    [...columns, "ours × it", "CPU: it × ours"],
    overStdio.map((name) => {
      const row = seen.many[name];
      return [...cells(seen, name, null), ratio(ours.perSecond, row.perSecond), ratio(row.cpuMicros, ours.cpuMicros)];
    }),
  );
  return seen;
}

async function lists({ count, seconds }) {
  const results = {};
  for (const tools of [1_000, 10_000]) {
    const vendor = await startVendor({ TOOLS: String(tools) });
    try {
      const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
      const seen = await withSubjects(vendor, listers, (subjects) =>
        rounds(subjects, { count, seconds, path: "/mcp", body, connections: 8, idsDiffer: true }),
      );
      const kept = seen["thin proxy, list kept"];
      table(
        `MCP tools/list of ${tools} tools`,
        ["subject", "c=8 calls/s", "p50 ms", "p99 ms", "CPU µs/call", "× thin, list kept"],
        listers.map((name) => {
          const { perSecond, p50Ms, p99Ms, cpuMicros } = seen[name];
          return [name, perSecond, p50Ms, p99Ms, cpuMicros, ratio(perSecond, kept.perSecond)];
        }),
      );
      results[tools] = seen;
    } finally {
      await vendor.stop();
    }
  }
  return results;
}

const columns = ["subject", "c=1 calls/s", "p50 ms", "added p50", "added p99", "c=32 calls/s", "p50 ms", "p99 ms", "CPU µs/call"];
function cells(seen, name, direct) {
  const [one, many] = [seen.one[name], seen.many[name]];
  const added = (key) => (direct === null ? null : Number((one[key] - direct.one.direct[key]).toFixed(3)));
  return [name, one.perSecond, one.p50Ms, added("p50Ms"), added("p99Ms"), many.perSecond, many.p50Ms, many.p99Ms, many.cpuMicros];
}

function echoed(vendor, names, { count, seconds }) {
  return withSubjects(vendor, names, async (subjects) => {
    const body = (name) =>
      JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: { text: "hello there" } } });
    for (const subject of subjects)
      subject.request.body = body(subject.name === "direct" || !/sallyport|thin|sdk/.test(subject.name) ? "echo" : "mock__echo");
    const options = { count, seconds, path: "/mcp", idsDiffer: true };
    return { one: await rounds(subjects, { ...options, connections: 1 }), many: await rounds(subjects, { ...options, connections: 32 }) };
  });
}

async function withSubjects(vendor, names, use) {
  const subjects = await startSubjects(vendor.port, names);
  for (const subject of subjects) subject.request = { ...subject.request, headers: { ...accept, ...subject.request.headers } };
  try {
    return await use(subjects);
  } finally {
    for (const subject of subjects) await subject.process?.stop();
  }
}
