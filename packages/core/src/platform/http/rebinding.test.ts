import { createSocket, type Socket } from "node:dgram";
import { promises as dns } from "node:dns";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterEach, expect, it } from "vitest";
import { clock } from "../system-clock.js";
import type { Resolve } from "./guarded-connector.js";
import { httpClient } from "./undici-client.js";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const ATTEMPTS = 2_000;
const [A, AAAA] = [1, 28];
const NAME_BEGINS = 12;
/** Public unicast that nobody has: of a block that IANA has given to no registry, so that no packet to it arrives anywhere. */
const NOBODY = Buffer.from("2d000000000000000000000000000001", "hex");
const LOOPBACK = Buffer.from([127, 0, 0, 1]);

/** A resource record of the name in the question that may be kept for no time at all (RFC 1035, section 4.1.3). */
function record(type: number, address: Buffer): Buffer {
  const head = Buffer.from("c00c0000000100000000", "hex");
  head.writeUInt16BE(type, 2);
  return Buffer.concat([head, Buffer.from([0, address.length]), address]);
}

/** A name server of one host, whose address of IPv6 is nobody's and which every second time has one of IPv4 too: loopback. */
async function alternatingNames(): Promise<{ readonly port: number; readonly told: { readonly without: number; readonly with: number } }> {
  const told = { without: 0, with: 0 };
  const server: Socket = createSocket("udp4");
  closing.push(() => server.close());
  server.on("message", (query, from) => {
    const nameEnds = query.indexOf(0, NAME_BEGINS) + 1;
    const type = query.readUInt16BE(nameEnds);
    const which = told.without > told.with ? "with" : "without";
    if (type === A) told[which]++;
    const answer = type === AAAA ? record(AAAA, NOBODY) : type === A && which === "with" ? record(A, LOOPBACK) : null;
    const head = Buffer.alloc(NAME_BEGINS);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answer === null ? 0 : 1, 6);
    const question = query.subarray(NAME_BEGINS, nameEnds + 4);
    server.send(Buffer.concat([head, question, answer ?? Buffer.alloc(0)]), from.port, from.address);
  });
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  return { port: server.address().port, told };
}

/** What an attacker would like to reach. */
async function loopbackService(): Promise<{ readonly port: number; readonly connections: () => number }> {
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    socket.on("error", () => undefined).destroy();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => void server.close());
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

it(`a name whose addresses change with every answer leads to loopback in none of ${ATTEMPTS} attempts (T12)`, async () => {
  const names = await alternatingNames();
  const service = await loopbackService();
  const resolver = new dns.Resolver({ timeout: 5_000, tries: 3 });
  resolver.setServers([`127.0.0.1:${names.port}`]);
  const resolve: Resolve = async (host) => {
    const [v4, v6] = await Promise.all([resolver.resolve4(host).catch(() => []), resolver.resolve6(host)]);
    return [...v4.map((address) => ({ address, family: 4 })), ...v6.map((address) => ({ address, family: 6 }))];
  };
  // Where a packet to nobody is lost instead of refused, a moment is enough.
  const client = httpClient({ clock, resolve, connectMs: 50 });
  closing.push(() => client.close());
  const url = `http://rebinding.example:${service.port}/latest/meta-data`;
  const codes = new Map<string, number>();
  const attempt = async (): Promise<void> => {
    const o = { method: "GET", url, headers: [], body: null, trust: "untrusted", idleMs: 10_000 } as const;
    const code = await client.exchange(o, { deadlineMs: Date.now() + 60_000 }).then(
      ({ status }) => `answered ${status}`,
      (error: { code?: string }) => String(error.code),
    );
    codes.set(code, (codes.get(code) ?? 0) + 1);
  };
  for (let made = 0; made < ATTEMPTS; made += 200) await Promise.all(Array.from({ length: 200 }, attempt));
  expect(service.connections()).toBe(0);
  // Both answers came, and the one was refused for what it is.
  expect(Math.min(names.told.without, names.told.with)).toBeGreaterThan(ATTEMPTS / 4);
  expect(codes.get("address_refused")).toBeGreaterThan(ATTEMPTS / 4);
  const failed = ["address_refused", "upstream_unavailable", "upstream_timeout"];
  expect([...codes.keys()].filter((code) => !failed.includes(code))).toEqual([]);
});
