import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { GatewayError } from "../../src/errors/index.js";
import { createFetch } from "../../src/http/index.js";
import { serve } from "../../src/node/index.js";
import { bytesAnswer, edgeHarness, OWNER_KEY } from "../http/edge-harness.js";
import { rawConnection, servedEdge, servedGateway } from "./serve-harness.js";

const auth = { authorization: `Bearer ${OWNER_KEY}` };
const chat = { method: "POST", headers: { ...auth, "content-type": "application/json" }, body: "{}" };
const frame = (text: string) => new TextEncoder().encode(`data: ${text}\n\n`);

/** A streamed answer that waits for its call's signal, and says with which reason it ended. */
function waitingStream(signal: AbortSignal) {
  const aborted = new Promise<unknown>((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));
  async function* frames() {
    yield frame("begun");
    const reason = await aborted;
    yield frame(GatewayError.is(reason) ? `error ${reason.code}` : "error");
  }
  let told = (_how: string): void => undefined;
  const ended = new Promise<string>((resolve) => (told = resolve));
  const answer = {
    ...bytesAnswer(new Uint8Array(0)),
    body: { kind: "frames" as const, frames: frames() },
    done: (how: string) => told(how),
  };
  return { answer, aborted, ended };
}

describe("listening", () => {
  it("says that a port is taken, and how to go on", async () => {
    const taken = await servedEdge();
    const other = servedGateway(await edgeHarness());
    const failure = await serve(other, { port: taken.serving.port }).catch((error: unknown) => GatewayError.from(error));
    expect(failure).toMatchObject({ code: "port_in_use", details: { host: "127.0.0.1", port: taken.serving.port } });
    expect((failure as GatewayError).hint).toContain("PORT");
  });

  it("says that an address is not one of this machine, or means nothing", async () => {
    const gateway = servedGateway(await edgeHarness());
    await expect(serve(gateway, { host: "192.0.2.1", port: 0 })).rejects.toMatchObject({ code: "misconfigured" });
    await expect(serve(gateway, { host: "no-such-name.invalid", port: 0 })).rejects.toMatchObject({ code: "misconfigured" });
  });

  it("warns when it is bound beyond this machine and nobody said by which names it is called", async () => {
    const open = await servedEdge({ serve: { host: "0.0.0.0" } });
    expect(open.logged.filter(({ level }) => level === "warn").map(({ message }) => message)).toEqual([
      expect.stringContaining("allowedHosts"),
    ]);
    expect(open.url).toBe(`http://127.0.0.1:${open.serving.port}`);
    expect((await fetch(`${open.url}/health`)).status).toBe(200);
    const named = await servedEdge({ server: { allowedHosts: ["gw.example"] }, serve: { host: "0.0.0.0" } });
    const local = await servedEdge();
    expect([...named.logged, ...local.logged].filter(({ level }) => level === "warn")).toEqual([]);
  });
});

describe("the time to answer", () => {
  it.each([1, 5_000, 59_999, 3_600_000])("may be any: %i ms", async (requestMs) => {
    const gateway = servedGateway(await edgeHarness());
    const { server } = gateway.config;
    const config = { server: { ...server, timeouts: { ...server.timeouts, requestMs } } };
    const serving = await serve({ ...gateway, config }, { port: 0 });
    onTestFinished(() => serving.close());
    expect((await fetch(`${serving.url}/health`)).headers.get("x-request-id")).toMatch(/^req_/);
  });
});

describe("requests on the wire", () => {
  it("without Host are refused in the shape of our errors, with a request id", async () => {
    const { serving } = await servedEdge();
    const { write, read } = await rawConnection(serving.port);
    write("GET /health HTTP/1.1\r\n\r\n");
    const answer = await read(/request_id/);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toMatch(/^x-request-id: req_/m);
    expect(answer).toContain('"bad_request"');
  });

  it("that expect what nobody knows are answered as if they did not", async () => {
    const { serving } = await servedEdge();
    const { write, read } = await rawConnection(serving.port);
    write("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: banana\r\n\r\n");
    const answer = await read(/"status"/);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/^x-request-id: req_/m);
  });

  it("that wait with their body get 100 Continue only when somebody wants it", async () => {
    const { serving } = await servedEdge();
    const head = (key: string) =>
      `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n`;
    const refused = await rawConnection(serving.port);
    refused.write(head("wrong"));
    expect(await refused.read(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 401 /);
    const welcome = await rawConnection(serving.port);
    welcome.write(head(OWNER_KEY));
    expect(await welcome.read(/\r\n\r\n/)).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    welcome.write("{}");
    expect(await welcome.read(/\{\}$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it("with a header twice that counts once are refused, not read by half", async () => {
    const { serving } = await servedEdge();
    for (const twice of [
      `Authorization: Bearer ${OWNER_KEY}\r\nAuthorization: Bearer x`,
      `Authorization: Bearer ${OWNER_KEY}\r\nHost: evil.test`,
    ]) {
      const { write, read } = await rawConnection(serving.port);
      write(`GET /v1/models HTTP/1.1\r\nHost: localhost\r\n${twice}\r\n\r\n`);
      expect(await read(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 (400|401|403) /);
    }
  });

  it.each([
    ["no HTTP at all", "hello\r\n\r\n", 400],
    ["a line break in a header", "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\nb\r\n\r\n", 400],
    ["two lengths", "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400],
    [
      "a length and chunks",
      "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      400,
    ],
    ["no Host", "GET /health HTTP/1.1\r\n\r\n", 400],
    ["a head that is too large", `GET /health HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`, 413],
  ])("that are broken are refused, and the server goes on: %s", async (_what, text, status) => {
    const { serving, url } = await servedEdge();
    const { write, ended } = await rawConnection(serving.port);
    write(text);
    expect(await ended()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("follow each other on one connection", async () => {
    const { serving } = await servedEdge();
    const { write, read } = await rawConnection(serving.port);
    for (let i = 0; i < 3; i++) {
      write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
      expect(await read(/\}$/)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    }
  });

  it("whose answer cannot be written are told so, and harm no other", async () => {
    const { behind, url } = await servedEdge();
    behind.relay = () => Promise.resolve({ ...bytesAnswer(frame("x")), headers: [["x-bad", "a\r\nset-cookie: b"]] });
    const response = await fetch(`${url}/v1/chat/completions`, chat);
    expect(response.status).toBe(500);
    expect(response.headers.get("set-cookie")).toBeNull();
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("that a gateway rejects, because it cannot start, are answered in the shape of our errors", async () => {
    const harness = await edgeHarness();
    const handle = () => Promise.reject(new GatewayError("store_unavailable", "The store is away.", { retryAfterMs: 2_000 }));
    const serving = await serve({ ...servedGateway(harness), handle }, { port: 0 });
    onTestFinished(() => serving.close());
    for (const response of [await fetch(`${serving.url}/health`), await createFetch(handle)(new Request("http://localhost/health"))]) {
      expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
      expect(await response.json()).toMatchObject({
        error: { code: "store_unavailable", request_id: response.headers.get("x-request-id") },
      });
    }
  });

  it("are framed by what is written, whatever an answer's own headers say", async () => {
    const { behind, url } = await servedEdge();
    behind.relay = () =>
      Promise.resolve({
        ...bytesAnswer(frame("x")),
        headers: [
          ["content-length", "3"],
          ["transfer-encoding", "chunked"],
          ["connection", "close"],
        ],
      });
    expect(await (await fetch(`${url}/v1/chat/completions`, chat)).text()).toBe("data: x\n\n");
  });
});

describe("how an answer ended", () => {
  it("is told once: sent, left by its reader, or failed", async () => {
    const { behind, url } = await servedEdge();
    const ended: string[] = [];
    const done = (how: string, code?: string) => void ended.push(code === undefined ? how : `${how} ${code}`);
    behind.relay = () => Promise.resolve({ ...bytesAnswer(frame("x")), done });
    await (await fetch(`${url}/v1/chat/completions`, chat)).text();
    expect(ended.splice(0)).toEqual(["sent"]);

    async function* breaks() {
      yield frame("x");
      await Promise.resolve();
      throw new GatewayError("upstream_interrupted", "It broke.");
    }
    behind.relay = () => Promise.resolve({ ...bytesAnswer(frame("x")), body: { kind: "frames", frames: breaks() }, done });
    await expect(fetch(`${url}/v1/chat/completions`, chat).then((response) => response.text())).rejects.toThrow();
    expect(ended.splice(0)).toEqual(["failed upstream_interrupted"]);

    let stream: ReturnType<typeof waitingStream> | undefined;
    behind.relay = (_call, options) => Promise.resolve((stream = waitingStream(options.signal)).answer);
    const leaving = new AbortController();
    const response = await fetch(`${url}/v1/chat/completions`, { ...chat, signal: leaving.signal });
    await response.body!.getReader().read();
    leaving.abort();
    expect(await stream!.aborted).toMatchObject({ code: "cancelled" });
    expect(await stream!.ended).toBe("left");
  });

  it("is told too when the reader left before there was an answer", async () => {
    const { behind, url } = await servedEdge();
    let stream: ReturnType<typeof waitingStream> | undefined;
    const begun = new Promise<void>((resolve) => {
      behind.relay = async (_call, options) => {
        stream = waitingStream(options.signal);
        resolve();
        await stream.aborted;
        return stream.answer;
      };
    });
    const leaving = new AbortController();
    const sending = fetch(`${url}/v1/chat/completions`, { ...chat, signal: leaving.signal }).catch(() => "gone");
    await begun;
    leaving.abort();
    expect(await sending).toBe("gone");
    expect(await stream!.ended).toBe("left");
  });
});

describe("the signal of a call", () => {
  it("serves the next request of a connection only when the call ended well and nobody listens any more", async () => {
    const { behind, serving } = await servedEdge();
    const signals: AbortSignal[] = [];
    let onCall = (_signal: AbortSignal): void => undefined;
    behind.relay = (_call, options) => {
      signals.push(options.signal);
      onCall(options.signal);
      return Promise.resolve(bytesAnswer(frame("x")));
    };
    const { write, read, socket } = await rawConnection(serving.port);
    const call = async () => {
      write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${OWNER_KEY}\r\nContent-Length: 2\r\n\r\n{}`);
      await read(/data: x\n\n/);
    };
    await call();
    await call();
    expect(signals[1]).toBe(signals[0]);
    const heard: number[] = [];
    onCall = (signal) => signal.addEventListener("abort", () => heard.push(signals.indexOf(signal)));
    await call();
    onCall = () => undefined;
    await call();
    expect(signals[3]).not.toBe(signals[2]);
    expect(signals.some((signal) => signal.aborted)).toBe(false);
    socket.destroy();
    await call().catch(() => undefined);
    expect(heard).toEqual([]);
  });

  it("is never shared by requests that are under way on one connection", async () => {
    const { behind, serving } = await servedEdge();
    const signals: AbortSignal[] = [];
    const settle: (() => void)[] = [];
    behind.relay = (_call, options) =>
      new Promise((resolve) => {
        signals.push(options.signal);
        settle.push(() => resolve(bytesAnswer(frame(String(signals.length)))));
        if (settle.length === 3) for (const each of settle) each();
      });
    const { write, read } = await rawConnection(serving.port);
    const one = `POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${OWNER_KEY}\r\nContent-Length: 2\r\n\r\n{}`;
    write(one + one + one);
    expect((await read(/(data: 3[^]*){3}/)).match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
    expect(new Set(signals).size).toBe(3);
  });
});

describe("closing", () => {
  it("lets a call under way finish, answers new ones no more, and says at once that it is not ready", async () => {
    const harness = await servedEdge();
    let answer = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      harness.behind.relay = () =>
        new Promise((settle) => {
          answer = () => settle(bytesAnswer(frame("done")));
          resolve();
        });
    });
    const sending = fetch(`${harness.url}/v1/chat/completions`, chat);
    await begun;
    const kept = await rawConnection(harness.serving.port);
    kept.write("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await kept.read(/\}$/)).toMatch(/^HTTP\/1\.1 200 /);
    kept.write("GET /ready HTTP/1.1\r\nHost: loc");
    await new Promise((resolve) => setImmediate(resolve));
    const closing = harness.serving.close();
    kept.write("alhost\r\n\r\n");
    const last = await kept.ended();
    expect(last === "" || last.includes("503 Service Unavailable")).toBe(true);
    await expect(fetch(`${harness.url}/health`)).rejects.toThrow();
    answer();
    const response = await sending;
    expect([response.status, response.headers.get("connection"), await response.text()]).toEqual([200, "close", "data: done\n\n"]);
    await closing;
    await harness.serving.close();
  });

  it("gives streams that do not end their last word when the time is over, and then the connection goes", async () => {
    const harness = await servedEdge({ server: { timeouts: { shutdownMs: 20 } } });
    let stream: ReturnType<typeof waitingStream> | undefined;
    harness.behind.relay = (_call, options) => Promise.resolve((stream = waitingStream(options.signal)).answer);
    const response = await fetch(`${harness.url}/v1/chat/completions`, chat);
    const text = response.text();
    await harness.serving.close();
    expect(await text).toBe("data: begun\n\ndata: error shutting_down\n\n");
    expect(await stream!.ended).toBe("sent");
  });

  it("waits for nobody who ignores it", async () => {
    const harness = await servedEdge({ server: { timeouts: { shutdownMs: 20 } } });
    harness.behind.relay = () => new Promise(() => undefined);
    const incoming = new Promise<IncomingMessage | Error>((resolve) => {
      const request = httpRequest(
        `${harness.url}/v1/chat/completions`,
        { method: "POST", headers: { ...auth, "content-type": "application/json" } },
        resolve,
      );
      request.on("error", resolve);
      request.end("{}");
    });
    await new Promise<void>((resolve) => {
      const poll = (): void => void (harness.relayed.length > 0 ? resolve() : setImmediate(poll));
      poll();
    });
    await harness.serving.close();
    expect(await incoming).toBeInstanceOf(Error);
  });

  it("frees the port", async () => {
    const first = await servedEdge();
    await first.serving.close();
    const probe = createServer().listen(first.serving.port, "127.0.0.1");
    await once(probe, "listening");
    probe.close();
  });
});

describe("signals", () => {
  const script = fileURLToPath(new URL("./signal-process.ts", import.meta.url));

  async function started(mode: string) {
    const child = spawn(process.execPath, ["--import", loader(), script, mode], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    let out = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (chunk: string) => (out += chunk));
    const said = async (text: string) => {
      while (!out.includes(text)) await once(child.stdout, "data");
    };
    await said("listening");
    return { child, said, out: () => out };
  }

  it("the first one drains, closes the gateway, and the process ends by itself", async () => {
    const { child, out } = await started("calm");
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(0);
    expect(out(), "runs and tasks have the time that calls have, not as much again").toMatch(/draining within 3600000\n[^]*gateway closed/);
  });

  it("one keystroke that arrives twice, as under npm, counts once", async () => {
    const { child, out } = await started("calm");
    child.kill("SIGINT");
    child.kill("SIGINT");
    const [code] = (await once(child, "exit")) as [number | null];
    expect(code).toBe(0);
    expect(out()).toContain("gateway closed");
  });

  it("a second one ends a process that is still busy, at once", async () => {
    const { child, said } = await started("stuck");
    child.kill("SIGTERM");
    await said("closing");
    await new Promise((resolve) => setTimeout(resolve, 600)); // another keystroke, not the echo of the first
    child.kill("SIGTERM");
    const [, by] = (await once(child, "exit")) as [number | null, string | null];
    expect(by).toBe("SIGTERM");
  });
});

function loader(): string {
  return new URL("./typescript-loader.mjs", import.meta.url).href;
}
