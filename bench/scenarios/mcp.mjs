import { startSubjects, startVendor } from "../lib/subjects.mjs";
import { rounds } from "../lib/rounds.mjs";
import { ratio, table, thrift } from "../lib/table.mjs";

const callers = ["direct", "thin JSON proxy", "sallyport, memory", "sallyport, sqlite", "sdk passthrough", "mcp-proxy"];
const listers = ["direct", "thin proxy, list kept", "sallyport, memory", "sdk passthrough"];
const accept = { accept: "application/json, text/event-stream" };

/** `tools/call` of an echo tool at 1 and 32 connections, and `tools/list` of 1,000 tools. */
export async function mcp({ count, seconds }) {
  const vendor = await startVendor();
  try {
    const calls = await withSubjects(vendor, callers, async (subjects) => {
      const body = (name) =>
        JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: { text: "hello there" } } });
      for (const subject of subjects)
        subject.request = {
          ...subject.request,
          headers: { ...accept, ...subject.request.headers },
          body: body(subject.name === "direct" || subject.name === "mcp-proxy" ? "echo" : "mock__echo"),
        };
      const options = { count, seconds, path: "/mcp" };
      return { one: await rounds(subjects, { ...options, connections: 1 }), many: await rounds(subjects, { ...options, connections: 32 }) };
    });
    const thin = calls.many["thin JSON proxy"];
    table(
      "MCP tools/call (echo)",
      ["subject", "c=1 calls/s", "p50 ms", "c=32 calls/s", "p50 ms", "p99 ms", "CPU µs/call", "× thin", "by CPU", "× mcp-proxy"],
      callers.map((name) => {
        const [a, b] = [calls.one[name], calls.many[name]];
        return [
          name,
          a.perSecond,
          a.p50Ms,
          b.perSecond,
          b.p50Ms,
          b.p99Ms,
          b.cpuMicros,
          ratio(b.perSecond, thin.perSecond),
          thrift(b, thin),
          ratio(b.perSecond, calls.many["mcp-proxy"]?.perSecond),
        ];
      }),
    );
    const lists = await withSubjects(vendor, listers, async (subjects) => {
      for (const subject of subjects) subject.request = { ...subject.request, headers: { ...accept, ...subject.request.headers } };
      return rounds(subjects, { count, seconds, path: "/mcp", body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', connections: 8 });
    });
    const kept = lists["thin proxy, list kept"];
    table(
      "MCP tools/list of 1,000 tools",
      ["subject", "c=8 calls/s", "p50 ms", "p99 ms", "CPU µs/call", "× thin, list kept"],
      listers.map((name) => [
        name,
        lists[name].perSecond,
        lists[name].p50Ms,
        lists[name].p99Ms,
        lists[name].cpuMicros,
        ratio(lists[name].perSecond, kept.perSecond),
      ]),
    );
    return { calls, lists };
  } finally {
    await vendor.stop();
  }
}

async function withSubjects(vendor, names, use) {
  const subjects = await startSubjects(vendor.port, names);
  try {
    return await use(subjects);
  } finally {
    for (const subject of subjects) await subject.process?.stop();
  }
}
