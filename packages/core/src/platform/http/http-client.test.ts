import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it } from "vitest";
import type { HttpClient, HttpRequest } from "../../ports/index.js";
import { httpClient as fetchClient } from "./fetch-client.js";
import { clock } from "../system-clock.js";
import { httpClient } from "./undici-client.js";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const http = (handler: RequestListener) => listen(createServer(handler));
/** Answers every request head with what `answer` writes: for answers that node:http would not send. */
const raw = (answer: (socket: Socket, request: string) => void) =>
  listen(createTcpServer((socket) => void socket.on("data", (data: Buffer) => answer(socket, data.toString("latin1")))));

function client(options: Partial<Parameters<typeof httpClient>[0]> = {}): HttpClient {
  const made = httpClient({ clock, ...options });
  closing.push(() => made.close());
  return made;
}
const request = (url: string, o: Partial<HttpRequest> = {}): HttpRequest => ({
  ...{ method: "GET", url, headers: [], body: null, trust: "operator", idleMs: 10_000 },
  ...o,
});
const soon = (signal?: AbortSignal) => ({ deadlineMs: Date.now() + 10_000, signal });
const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();
/** Something that a test waits for and a server tells of. */
function happening<T>() {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => (resolve = settle));
  return { promise, resolve };
}
async function readAll(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const chunk of chunks) all += text(chunk);
  return all;
}
async function bodyOf(incoming: IncomingMessage): Promise<string> {
  let all = "";
  for await (const chunk of incoming) all += (chunk as Buffer).toString();
  return all;
}
async function* pieces(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

describe.each([
  ["undici", () => client()],
  ["fetch", () => fetchClient({ clock })],
] as const)("an exchange through %s", (name, make) => {
  it("sends method, path, headers and body, and gives status, headers and the whole body", async () => {
    const url = await http(async (incoming, answer) => {
      const body = await bodyOf(incoming);
      answer.writeHead(201, { "X-Thing": "a", "content-type": "text/plain" });
      answer.end(`${incoming.method} ${incoming.url} ${incoming.headers["x-from"]} ${body}`);
    });
    const answer = await make().exchange(
      request(`${url}/p/a?b=c`, { method: "POST", headers: [["x-from", "me"]], body: Buffer.from("hello") }),
      soon(),
    );
    expect(answer.status).toBe(201);
    expect(answer.headers).toContainEqual(["x-thing", "a"]);
    expect(text(await answer.bytes(1000))).toBe("POST /p/a?b=c me hello");
  });

  it("sends a body that comes in pieces", async () => {
    const url = await http(async (incoming, answer) => void answer.end(await bodyOf(incoming)));
    const answer = await make().exchange(request(url, { method: "POST", body: pieces("one ", "two ", "three") }), soon());
    expect(text(await answer.bytes(1000))).toBe("one two three");
  });

  it("gives chunks as they come, long before the end", async () => {
    let finish = (): void => undefined;
    const url = await http((_incoming, answer) => {
      answer.write("first");
      finish = () => void answer.end("last");
    });
    const answer = await make().exchange(request(url), soon());
    const reading = answer.chunks()[Symbol.asyncIterator]();
    expect(text((await reading.next()).value as Uint8Array)).toBe("first");
    finish();
    expect(text((await reading.next()).value as Uint8Array)).toBe("last");
    expect((await reading.next()).done).toBe(true);
  });

  it("follows no redirect (T13)", async () => {
    let hits = 0;
    const url = await http((_incoming, answer) => {
      hits++;
      answer.writeHead(302, { location: "/elsewhere" }).end();
    });
    const answer = await make().exchange(request(url), soon());
    if (name === "undici") expect(answer.status).toBe(302);
    answer.discard();
    expect(hits).toBe(1);
  });

  it("says that nothing listens", async () => {
    const server = createTcpServer();
    const url = await listen(server);
    server.close();
    await expect(make().exchange(request(url), soon())).rejects.toMatchObject({
      code: "upstream_unavailable",
      details: { cause: "ECONNREFUSED" },
    });
  });

  it("ends with upstream_timeout when no answer begins before the deadline, and hangs up", async () => {
    const hungUp = happening<void>();
    const url = await http((incoming) => void incoming.socket.on("close", () => hungUp.resolve()));
    const within = { deadlineMs: Date.now() + 30 };
    await expect(make().exchange(request(url), within)).rejects.toMatchObject({ code: "upstream_timeout" });
    await hungUp.promise;
  });

  it("ends with upstream_timeout when the answer falls silent, and hangs up", async () => {
    const hungUp = happening<void>();
    const url = await http((incoming, answer) => {
      answer.write("begun");
      incoming.socket.on("close", () => hungUp.resolve());
    });
    const answer = await make().exchange(request(url, { idleMs: 30 }), soon());
    const reading = answer.chunks()[Symbol.asyncIterator]();
    expect(text((await reading.next()).value as Uint8Array)).toBe("begun");
    await expect(reading.next()).rejects.toMatchObject({ code: "upstream_timeout" });
    await hungUp.promise;
  });

  it("ends with deadline_exceeded when an answer that is never silent is not over in time, and hangs up", async () => {
    const hungUp = happening<void>();
    const url = await http((incoming, answer) => {
      const drip = setInterval(() => answer.write("."), 2);
      incoming.socket.on("close", () => {
        clearInterval(drip);
        hungUp.resolve();
      });
    });
    for (const firstByteMs of [800, 10_000]) {
      const endByMs = Date.now() + 800;
      const within = { deadlineMs: firstByteMs === 800 ? endByMs : Date.now() + firstByteMs };
      const answer = await make().exchange(request(url, { endByMs }), within);
      await expect(readAll(answer.chunks())).rejects.toMatchObject({ code: "deadline_exceeded" });
    }
    await hungUp.promise;
  });

  it("ends with upstream_interrupted when the connection is reset", async () => {
    const url = await raw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n", () => socket.resetAndDestroy());
    });
    const read = async () => readAll((await make().exchange(request(url), soon())).chunks());
    await expect(read()).rejects.toMatchObject({ code: expect.stringMatching(/^upstream_(interrupted|unavailable)$/) });
  });

  it.each([
    ["chunked without its last chunk", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nbegun\r\n"],
    ["shorter than its content-length", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nbegun"],
  ])("does not take an answer for whole that is %s", async (_case, bytes) => {
    const url = await raw((socket) => void socket.end(bytes));
    const whole = await make().exchange(request(url), soon());
    await expect(whole.bytes(1000)).rejects.toMatchObject({ code: "upstream_interrupted" });
    const reading = (await make().exchange(request(url), soon())).chunks()[Symbol.asyncIterator]();
    expect(text((await reading.next()).value as Uint8Array)).toBe("begun");
    await expect(reading.next()).rejects.toMatchObject({ code: "upstream_interrupted" });
  });

  it("takes an answer for whole that is delimited by the end of the connection", async () => {
    const url = await raw((socket) => void socket.end("HTTP/1.0 200 OK\r\n\r\nall of it"));
    const answer = await make().exchange(request(url), soon());
    expect(text(await answer.bytes(1000))).toBe("all of it");
  });

  it("skips informational answers", async () => {
    const url = await raw((socket) => {
      socket.end("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
    const answer = await make().exchange(request(url), soon());
    expect(answer.status).toBe(200);
    expect(text(await answer.bytes(10))).toBe("ok");
  });

  it("cancels before the answer begins, and hangs up", async () => {
    const hungUp = happening<void>();
    const controller = new AbortController();
    const url = await http((incoming) => {
      incoming.socket.on("close", () => hungUp.resolve());
      controller.abort();
    });
    await expect(make().exchange(request(url), soon(controller.signal))).rejects.toMatchObject({ code: "cancelled" });
    await hungUp.promise;
  });

  it("cancels in the middle of the answer: the pending read is rejected, and the server sees the connection close", async () => {
    const hungUp = happening<void>();
    const controller = new AbortController();
    const url = await http((incoming, answer) => {
      answer.write("begun");
      incoming.socket.on("close", () => hungUp.resolve());
    });
    const answer = await make().exchange(request(url), soon(controller.signal));
    const reading = answer.chunks()[Symbol.asyncIterator]();
    await reading.next();
    const pending = reading.next();
    controller.abort();
    await expect(pending).rejects.toMatchObject({ code: "cancelled" });
    await hungUp.promise;
  });

  it("sends nothing when it was cancelled already", async () => {
    let hits = 0;
    const url = await http((_incoming, answer) => {
      hits++;
      answer.end();
    });
    await expect(make().exchange(request(url), soon(AbortSignal.abort()))).rejects.toMatchObject({ code: "cancelled" });
    expect(hits).toBe(0);
  });

  it.each(["leaving the iteration", "discarding"])("hangs up by %s", async (how) => {
    const hungUp = happening<void>();
    const url = await http((incoming, answer) => {
      answer.write("begun");
      incoming.socket.on("close", () => hungUp.resolve());
    });
    const answer = await make().exchange(request(url), soon());
    if (how === "discarding") answer.discard();
    else for await (const _ of answer.chunks()) break;
    await hungUp.promise;
  });

  it("keeps no more of an answer than it was allowed", async () => {
    const url = await http((_incoming, answer) => void answer.end("x".repeat(100_000)));
    const answer = await make().exchange(request(url), soon());
    await expect(answer.bytes(99_999)).rejects.toMatchObject({ code: "payload_too_large", details: { maxBytes: 99_999 } });
    expect((await (await make().exchange(request(url), soon())).bytes(100_000)).byteLength).toBe(100_000);
  });

  it("unpacks an answer that was compressed though nobody asked", async () => {
    const packed: Record<string, Buffer> = { gzip: gzipSync("packed"), br: brotliCompressSync("packed"), deflate: deflateSync("packed") };
    const url = await http((incoming, answer) => {
      const encoding = (incoming.url as string).slice(1);
      answer.writeHead(200, { "content-encoding": encoding }).end(packed[encoding]);
    });
    for (const encoding of Object.keys(packed)) {
      const answer = await make().exchange(request(`${url}/${encoding}`), soon());
      expect(answer.headers.map(([header]) => header)).not.toContain("content-encoding");
      expect(text(await answer.bytes(6))).toBe("packed");
      expect(await readAll((await make().exchange(request(`${url}/${encoding}`), soon())).chunks())).toBe("packed");
    }
  });

  it("refuses what is not an address of HTTP", async () => {
    for (const url of ["file:///etc/passwd", "ftp://127.0.0.1/", "nonsense", "http://user:pass@127.0.0.1/"])
      await expect(make().exchange(request(url), soon())).rejects.toMatchObject({ code: "bad_request" });
  });

  it("refuses new exchanges once closed", async () => {
    const closed = make();
    await closed.close();
    await expect(closed.exchange(request("http://127.0.0.1:1/"), soon())).rejects.toMatchObject({ code: "shutting_down" });
  });
});

describe("the pools of the Node platform", () => {
  it("send exactly the given headers beside host and content-length", async () => {
    const seen = happening<string>();
    const url = await raw((socket, head) => {
      seen.resolve(head);
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    });
    const answer = await client().exchange(
      request(url, { method: "POST", headers: [["accept", "*/*"]], body: Buffer.from("abc") }),
      soon(),
    );
    await answer.bytes(10);
    const [line, ...headers] = (await seen.promise).split("\r\n\r\n")[0]!.split("\r\n");
    expect(line).toBe("POST / HTTP/1.1");
    expect(headers.sort()).toEqual(["accept: */*", "connection: keep-alive", "content-length: 3", `host: ${url.slice(7)}`]);
  });

  it("reuse a connection, but never one of another trust (T31)", async () => {
    let connections = 0;
    const server = createServer((_incoming, answer) => void answer.end("ok"));
    server.on("connection", () => connections++);
    const url = await listen(server);
    const pooled = client({ allowPrivate: true });
    for (const trust of ["operator", "operator", "untrusted", "untrusted"] as const) {
      await (await pooled.exchange(request(url, { trust }), soon())).bytes(10);
      // A connection is free again one turn of the loop later, when it is clear that nothing more came over it.
      await new Promise((turn) => setImmediate(turn));
    }
    expect(connections).toBe(2);
  });

  it("never take an answer that was sent before its request (T31)", async () => {
    const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
    const url = await raw((socket) => void socket.write(`${ok}HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nPOISON`));
    const pooled = client();
    for (let i = 0; i < 20; i++) {
      const answer = await pooled.exchange(request(url), soon()).catch((error: { code: string }) => error.code);
      // Losing a call to such a server is fine; believing it is not.
      if (typeof answer !== "string") expect(text(await answer.bytes(10))).toBe("ok");
    }
  });

  it("let go of what is not HTTP", async () => {
    const url = await raw((socket) => void socket.end("SSH-2.0-OpenSSH_9.2\r\n"));
    await expect(client().exchange(request(url), soon())).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("say when TLS is not what the other side speaks", async () => {
    const url = await raw((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    const failed = client().exchange(request(url.replace("http:", "https:")), soon());
    await expect(failed).rejects.toMatchObject({ code: "upstream_unavailable", hint: expect.stringContaining("TLS") });
  });

  it("name a failed lookup", async () => {
    const resolve = () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" }));
    await expect(client({ resolve }).exchange(request("http://api.example/"), soon())).rejects.toMatchObject({
      code: "upstream_unavailable",
      details: { cause: "ENOTFOUND" },
      hint: expect.stringContaining("host name"),
    });
  });

  it("give an early refusal even when the body was not read", async () => {
    const url = await raw((socket) => void socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\nconnection: close\r\n\r\nbig"));
    const body = Buffer.alloc(8_000_000, 120);
    const answer = await client().exchange(request(url, { method: "POST", body }), soon());
    expect(answer.status).toBe(413);
    expect(text(await answer.bytes(10))).toBe("big");
  });

  it("fail the exchange when its body fails", async () => {
    const url = await http((incoming) => void incoming.resume());
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("some");
      throw Object.assign(new Error("the source broke"), { code: "EPIPE" });
    }
    await expect(client().exchange(request(url, { method: "POST", body: broken() }), soon())).rejects.toMatchObject({
      code: "upstream_unavailable",
    });
  });

  it("refuse a header that would break out of its line (T20)", async () => {
    const url = await http((_incoming, answer) => void answer.end());
    const smuggled = request(url, { headers: [["authorization", "Bearer k\r\nx-evil: 1"]] });
    await expect(client().exchange(smuggled, soon())).rejects.toMatchObject({ code: "misconfigured" });
  });

  it("stop reading when nobody takes the chunks, and go on when somebody does", async () => {
    const piece = Buffer.alloc(65_536, 97);
    let written = 0;
    const total = 64 * 1024 * 1024;
    const feed = (answer: ServerResponse): void => {
      while (written < total) {
        written += piece.byteLength;
        if (!answer.write(piece)) return void answer.once("drain", () => feed(answer));
      }
      answer.end();
    };
    const url = await http((incoming, answer) => (incoming.url === "/big" ? feed(answer) : void answer.end("pong")));
    const pooled = client();
    const big = await pooled.exchange(request(`${url}/big`), soon());
    for (let i = 0; i < 200; i++) await (await pooled.exchange(request(`${url}/ping`), soon())).bytes(10);
    expect(written).toBeLessThan(total / 4);
    let read = 0;
    for await (const chunk of big.chunks()) read += chunk.byteLength;
    expect(read).toBe(total);
  });

  it("give the same bytes however the server cuts its chunks", async () => {
    const body = Array.from({ length: 3000 }, (_, i) => `data: {"i":${i},"t":"žluť"}\n\n`).join("");
    const bytes = Buffer.from(body);
    const url = await raw((socket) => {
      socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
      for (let at = 0, size = 1; at < bytes.byteLength; at += size, size = (size % 97) + 1) {
        const chunk = bytes.subarray(at, at + size);
        socket.write(`${chunk.byteLength.toString(16)}\r\n`);
        socket.write(chunk);
        socket.write("\r\n");
      }
      socket.end("0\r\n\r\n");
    });
    const parts: Uint8Array[] = [];
    for await (const chunk of (await client().exchange(request(url), soon())).chunks()) parts.push(chunk);
    expect(Buffer.concat(parts).toString()).toBe(body);
    expect(text(await (await client().exchange(request(url), soon())).bytes(1_000_000))).toBe(body);
  });

  it("cut off a small answer that unpacks to a big one, while it unpacks (T41)", async () => {
    const bomb = gzipSync(Buffer.alloc(200_000_000));
    const url = await http((_incoming, answer) => void answer.writeHead(200, { "content-encoding": "gzip" }).end(bomb));
    const answer = await client().exchange(request(url), soon());
    const before = process.memoryUsage().arrayBuffers;
    await expect(answer.bytes(1_000_000)).rejects.toMatchObject({ code: "payload_too_large" });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
  });

  it.each([
    ["an unknown encoding", "zip", Buffer.from("x")],
    ["bytes that are not in it", "gzip", Buffer.from("not gzip")],
    ["half of it", "gzip", gzipSync("a".repeat(1000)).subarray(0, 20)],
  ])("refuse %s", async (_case, encoding, bytes) => {
    const url = await http((_incoming, answer) => void answer.writeHead(200, { "content-encoding": encoding }).end(bytes));
    const read = async () => (await client().exchange(request(url), soon())).bytes(10_000);
    await expect(read()).rejects.toMatchObject({ code: "upstream_protocol" });
  });

  it("let exchanges under way go on when they are closed", async () => {
    let finish = (): void => undefined;
    const url = await http((_incoming, answer) => {
      answer.write("be");
      finish = () => void answer.end("gun");
    });
    const pooled = client();
    const answer = await pooled.exchange(request(url), soon());
    await pooled.close();
    finish();
    expect(text(await answer.bytes(10))).toBe("begun");
  });

  it("wait for a connection no longer than the deadline when all are in use", async () => {
    const url = await http((_incoming, answer) => void answer.write("held"));
    const pooled = client({ maxConnections: 1 });
    const held = await pooled.exchange(request(url), soon());
    await expect(pooled.exchange(request(url), { deadlineMs: Date.now() + 30 })).rejects.toMatchObject({ code: "upstream_timeout" });
    held.discard();
  });
});

describe("the guarded dialer (T11)", () => {
  async function watched(host: string) {
    let connections = 0;
    const server = createTcpServer((socket) => {
      connections++;
      socket.destroy();
    });
    server.listen(0, host);
    await once(server, "listening");
    closing.push(() => server.close());
    return { port: (server.address() as AddressInfo).port, connections: () => connections };
  }

  it.each([
    ...["127.0.0.1", "127.1", "127.0.0.2", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "localhost"],
    ...["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "①②⑦.⓪.⓪.①"],
  ])("does not dial %s for an untrusted caller", async (host) => {
    const { port, connections } = await watched("127.0.0.1");
    const dialled = client().exchange(request(`http://${host}:${port}/`, { trust: "untrusted" }), soon());
    await expect(dialled).rejects.toMatchObject({ code: "address_refused" });
    expect(connections()).toBe(0);
  });

  it.each(["[::1]", "[0:0:0:0:0:0:0:1]"])("does not dial %s for an untrusted caller", async (host) => {
    const { port, connections } = await watched("::1");
    const dialled = client().exchange(request(`http://${host}:${port}/`, { trust: "untrusted" }), soon());
    await expect(dialled).rejects.toMatchObject({ code: "address_refused" });
    expect(connections()).toBe(0);
  });

  it("refuses a name whole when one of its addresses is private", async () => {
    const { port, connections } = await watched("127.0.0.1");
    const resolve = async () => [
      { address: "8.8.8.8", family: 4 },
      { address: "127.0.0.1", family: 4 },
    ];
    for (const scheme of ["http", "https"]) {
      const dialled = client({ resolve }).exchange(request(`${scheme}://rebind.example:${port}/`, { trust: "untrusted" }), soon());
      await expect(dialled).rejects.toMatchObject({ code: "address_refused", details: { host: "rebind.example", reason: "loopback" } });
    }
    expect(connections()).toBe(0);
  });

  it("asks for a name once a connection and dials the very addresses it judged (T12)", async () => {
    const url = await http((_incoming, answer) => void answer.setHeader("connection", "close").end("reached"));
    const asked: string[] = [];
    const resolve = async (host: string) => {
      asked.push(host);
      return [{ address: "127.0.0.1", family: 4 }];
    };
    // The system's resolver knows no name below .invalid: only the given address can have been dialled.
    const named = url.replace("127.0.0.1", "nowhere.invalid");
    const answer = await client({ resolve, allowPrivate: true }).exchange(request(named, { trust: "untrusted" }), soon());
    expect(text(await answer.bytes(10))).toBe("reached");
    expect(asked).toEqual(["nowhere.invalid"]);
  });

  it("dials a private address that the operator configured, and any when the operator says so", async () => {
    const url = await http((_incoming, answer) => void answer.end("ok"));
    expect((await client().exchange(request(url, { trust: "operator" }), soon())).status).toBe(200);
    expect((await client({ allowPrivate: true }).exchange(request(url, { trust: "untrusted" }), soon())).status).toBe(200);
  });

  it("refuses everything untrusted where the runtime dials unseen", async () => {
    const url = await http((_incoming, answer) => void answer.end("ok"));
    await expect(fetchClient({ clock }).exchange(request(url, { trust: "untrusted" }), soon())).rejects.toMatchObject({
      code: "address_refused",
    });
  });
});
