import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { gzipSync } from "node:zlib";
import { expect, it, onTestFinished } from "vitest";
import { serve } from "../../src/node/index.js";
import { createTestGateway, TEST_OWNER_KEY } from "../../src/testing/index.js";

const authorization = `Bearer ${TEST_OWNER_KEY}`;

/** Writes what it is given and reads until the peer ends, or the time is over: the status, and whether the connection is gone. */
async function attack(
  port: number,
  write: (socket: Socket) => void | Promise<void>,
  ms = 30_000,
): Promise<{ status: number; gone: boolean }> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  onTestFinished(() => void socket.destroy());
  let received = "";
  socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1").slice(0, 2_000))).on("error", () => undefined);
  const gone = new Promise<boolean>((resolve) => {
    socket.on("close", () => resolve(true)).on("end", () => resolve(true));
    setTimeout(() => resolve(false), ms).unref();
  });
  await write(socket);
  const isGone = await gone;
  socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(received)?.[1] ?? 0), gone: isGone };
}
const post = (headers: string) =>
  `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nConnection: close\r\n${headers}\r\n`;
const sized =
  (body: string | Buffer, more = "") =>
  (socket: Socket) => {
    socket.write(post(`Content-Type: application/json\r\n${more}Content-Length: ${Buffer.byteLength(body)}\r\n`));
    socket.write(body);
  };
async function flood(socket: Socket, piece: Buffer, times: number): Promise<void> {
  for (let i = 0; i < times && !socket.destroyed && socket.writable; i++)
    if (!socket.write(piece))
      await Promise.race([
        once(socket, "drain").catch(() => undefined),
        once(socket, "close").catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, 500)),
      ]);
}

it("bombs, depth, huge headers and slow senders are refused or ended, and a healthy client beside them is served (T41)", async () => {
  const gateway = await createTestGateway({ server: { maxBodyBytes: 1_048_576 } });
  const serving = await serve(gateway, { port: 0 });
  onTestFinished(async () => {
    await serving.close();
    await gateway.close({ graceMs: 0 });
  });
  const { port } = serving;
  const healthy = { "content-type": "application/json", authorization };
  const times: number[] = [];
  const ask = async (): Promise<void> => {
    const body = JSON.stringify({ model: "demo/echo", messages: [{ role: "user", content: "hi" }] });
    const begun = performance.now();
    const response = await fetch(`${serving.url}/v1/chat/completions`, { method: "POST", headers: healthy, body });
    await response.text();
    times.push(performance.now() - begun);
    expect(response.status).toBe(200);
  };
  for (let i = 0; i < 5; i++) await ask();
  times.length = 0;
  const before = process.memoryUsage().rss;
  let isOver = false;
  const beside = (async (): Promise<void> => {
    while (!isOver) {
      await ask();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();

  const megabyte = Buffer.alloc(1_048_576, 0x20);
  const [said, chunked, gzip, depth, keys, header, many, garbage] = await Promise.all([
    // It says how much is coming, and it is too much: not a byte of it is waited for.
    attack(port, (socket) => void socket.write(post("Content-Type: application/json\r\nContent-Length: 1073741824\r\n"))),
    attack(port, async (socket) => {
      socket.write(post("Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"));
      await flood(socket, Buffer.concat([Buffer.from("100000\r\n"), megabyte, Buffer.from("\r\n")]), 64);
    }),
    attack(port, sized(gzipSync(Buffer.alloc(16_777_216)), "Content-Encoding: gzip\r\n")),
    attack(port, sized(`{"model":"demo/echo","messages":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)),
    attack(port, sized(`{"model":"demo/echo","messages":[],${Array.from({ length: 40_000 }, (_, i) => `"k${i}":0`).join(",")}}`)),
    attack(port, (socket) => void socket.write(`GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Big: ${"x".repeat(200_000)}\r\n\r\n`)),
    attack(
      port,
      (socket) =>
        void socket.write(
          `GET /v1/models HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 5_000 }, (_, i) => `x-${i}: 1`).join("\r\n")}\r\n\r\n`,
        ),
    ),
    attack(port, (socket) => void socket.write(Buffer.alloc(100_000, 0xff))),
  ]);
  expect(said).toEqual({ status: 413, gone: true });
  expect([chunked.gone, [413, 0].includes(chunked.status)]).toEqual([true, true]);
  expect(gzip.status).toBe(415);
  expect(depth.status).toBe(400);
  expect([200, 400]).toContain(keys.status);
  expect([header.gone, [413, 431].includes(header.status)]).toEqual([true, true]);
  expect([many.gone, many.status >= 400]).toEqual([true, true]);
  expect([garbage.gone, garbage.status]).toEqual([true, 400]);

  // Hundreds that send nothing, or a header a second, or a body a byte at a time: they hold a socket, and nobody up.
  const slow = Array.from({ length: 300 }, () => connect(port, "127.0.0.1"));
  for (const [i, socket] of slow.entries()) {
    socket.on("error", () => undefined);
    if (i % 3 === 1) socket.write("GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    if (i % 3 === 2) socket.write(`${post("Content-Type: application/json\r\nContent-Length: 1000\r\n")}{`);
  }
  const dripping = setInterval(() => slow.forEach((socket, i) => i % 3 !== 0 && socket.write("x")), 100);
  const answered = times.length;
  await expect.poll(() => times.length, { interval: 50 }).toBeGreaterThan(answered + 20);
  clearInterval(dripping);
  for (const socket of slow) socket.destroy();
  isOver = true;
  await beside;
  // Generous: the attackers are in the same process as the gateway, and other tests on the same machine.
  expect(Math.max(...times)).toBeLessThan(20_000);
  expect(process.memoryUsage().rss - before).toBeLessThan(512 * 1_048_576);
  await ask();
});
