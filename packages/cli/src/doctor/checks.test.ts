import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findPlace, loadPlace, type Place } from "../place.js";
import { ensureSecret } from "../secret-file.js";
import { checkConfiguration } from "./configuration.js";
import { checkData } from "./data.js";
import type { Finding } from "./finding.js";
import { checkPort } from "./port.js";
import { checkProviders } from "./providers.js";
import { checkRuntime } from "./runtime.js";

let cwd: string;
beforeEach(() => void (cwd = mkdtempSync(join(tmpdir(), "sallyport-doctor-"))));
afterEach(() => rmSync(cwd, { recursive: true, force: true }));

const placeOf = (env: NodeJS.ProcessEnv = {}): Place => findPlace({ cwd, env, flags: {} });
const configure = (value: unknown): void => writeFileSync(join(cwd, "sallyport.config.json"), JSON.stringify(value));
/** "warn area: what | fix" */
const lines = (findings: readonly Finding[]): string[] =>
  findings.map(({ area, status, what, fix }) => `${status} ${area}: ${what}${fix === undefined ? "" : ` | ${fix}`}`);

describe("node and packages", () => {
  it.each([
    ["18.20.0", "fail node: Node 18.20.0 is too old"],
    ["20.18.9", "fail node: Node 20.18.9 is too old"],
    ["20.19.0", "warn node: Node 20.19.0 works, but gets no more security fixes"],
    ["22.23.3", "warn node: Node 22.23.3 works, but misses security fixes of its line | Update to 22.23.4 or newer."],
    ["22.23.4", "ok node: Node 22.23.4"],
    ["24.22.1", "ok node: Node 24.22.1"],
    ["26.0.0", "ok node: Node 26.0.0"],
  ])("judges Node %s", (version, expected) => {
    expect(lines(checkRuntime(version))[0]).toContain(expected);
  });

  it("finds the packages that it runs with, all of one version", () => {
    expect(lines(checkRuntime())[1]).toMatch(/^ok packages: sallyport (\S+), @sallyport\/core \1, @sallyport\/adapters-sqlite \1$/);
  });
});

describe("configuration", () => {
  it("is well without any file", () => {
    const { findings } = checkConfiguration(placeOf(), {});
    expect(lines(findings)).toEqual([
      "ok config file: no sallyport.config.json: the environment alone is enough",
      expect.stringMatching(/^ok config: valid: 0 given, \d+ defaults$/),
    ]);
  });

  it("turns each problem into a finding with path, source and fix", () => {
    configure({ servre: {}, providers: { mine: {} } });
    const { findings, loaded } = checkConfiguration(placeOf({ PORT: "x" }), {});
    expect(loaded).toBeNull();
    expect(lines(findings).slice(1)).toEqual([
      "fail config: server.port (the environment variable PORT): found text, expected a whole number from 0 to 65535 | write a whole number from 0 to 65535",
      'fail config: servre (sallyport.config.json): is not a known key | did you mean "server"? Rename it',
    ]);
  });

  it("says where broken JSON is broken", () => {
    writeFileSync(join(cwd, "sallyport.config.json"), '{\n  "server": {},\n}');
    expect(lines(checkConfiguration(placeOf(), {}).findings).slice(1)).toEqual([
      'fail config: sallyport.config.json is not valid JSON: line 3, column 1: a comma stands before "}" | Remove the comma.',
    ]);
  });

  it("warns of what is valid and dangerous", () => {
    configure({ server: { host: "0.0.0.0", allowedOrigins: ["*"] }, network: { allowPrivate: true } });
    const { findings } = checkConfiguration(placeOf(), {});
    expect(findings.map(({ status, area }) => `${status} ${area}`)).toEqual([
      "ok config file",
      "ok config",
      "warn network",
      "warn network",
      "warn network",
    ]);
  });
});

describe("data folder and secret", () => {
  it("changes nothing and says what the first start will make", () => {
    expect(lines(checkData(placeOf()))).toEqual([
      "ok data: .sallyport will be made by the first start",
      "ok secret: .sallyport/secret will be made by the first start",
    ]);
  });

  it("is well after the first start, and warns when others may read", () => {
    const place = placeOf();
    ensureSecret(place);
    expect(lines(checkData(place))).toEqual(["ok data: .sallyport (mode 0700)", "ok secret: .sallyport/secret"]);
    chmodSync(place.dataDir, 0o755);
    chmodSync(place.secretPath, 0o644);
    expect(lines(checkData(place))).toEqual([
      "warn data: .sallyport can be read by other users (mode 0755) | chmod 700 .sallyport",
      "warn secret: .sallyport/secret can be read by other users (mode 0644) | chmod 600 .sallyport/secret",
    ]);
  });

  it("fails for a secret that is none, and never shows it", () => {
    const given = lines(checkData(placeOf({ SALLYPORT_SECRET: "hunter2hunter2" })));
    expect(given[1]).toMatch(/^fail secret: The gateway's secret \(SALLYPORT_SECRET, or secret in code\) is refused: it has 10 bytes/);
    expect(given.join()).not.toContain("hunter2");
  });

  it("fails when the database is there and its secret is gone", () => {
    mkdirSync(placeOf().dataDir, { mode: 0o700 });
    writeFileSync(placeOf().databasePath, "");
    expect(lines(checkData(placeOf()))[1]).toBe(
      "fail secret: .sallyport/secret is gone, and the database was made with it | Put the file back, or set SALLYPORT_SECRET to what it held.",
    );
  });

  it("fails when the folder is a file", () => {
    writeFileSync(join(cwd, ".sallyport"), "");
    expect(lines(checkData(placeOf()))[0]).toBe("fail data: .sallyport is not a folder | Remove it, or point SALLYPORT_DATA elsewhere.");
  });
});

describe("providers", () => {
  it("lists each with its key, masked, and where it came from", () => {
    configure({
      providers: {
        local: { vendor: "openai-compatible", baseUrl: "http://127.0.0.1:1/v1" },
        pool: { vendor: "openai", apiKeys: [{ value: "${POOL_KEY}" }, { value: "short" }] },
        "9lives": { vendor: "xai" },
      },
    });
    const place = placeOf({ OPENAI_API_KEY: "sk-0123456789abcdefghijkl", POOL_KEY: "pool-0123456789abcdefwxyz" });
    const { loaded, values } = checkConfiguration(place, {});
    expect(lines(checkProviders(loaded ?? loadPlace(place, {}), values))).toEqual([
      "ok provider demo: the offline demo models (demo/echo, demo/scripted); no key needed",
      "ok provider local: openai-compatible at http://127.0.0.1:1/v1, without a key",
      "ok provider pool: openai, 2 keys ***wxyz, *** from sallyport.config.json, from POOL_KEY, sallyport.config.json",
      'warn provider 9lives: xai: no key, so its calls will be refused | Set XAI_API_KEY, or add "apiKey".',
      "ok provider openai: openai, key ***ijkl from the environment variable OPENAI_API_KEY",
    ]);
  });
});

describe("port", () => {
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  afterEach(async () => {
    const closing = server;
    server = undefined;
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    if (closing !== undefined) await new Promise((resolve) => closing.close(resolve));
  });
  const listening = (made: Server): Promise<number> =>
    new Promise((resolve) => {
      server = made.on("connection", (socket: Socket) => sockets.add(socket));
      made.listen(0, "127.0.0.1", () => resolve((made.address() as AddressInfo).port));
    });
  const check = async (env: NodeJS.ProcessEnv): Promise<string[]> => lines(await checkPort(loadPlace(placeOf(env), {})));

  it("is free, or any", async () => {
    expect(await check({ PORT: "0" })).toEqual(["ok port: any free one on 127.0.0.1"]);
    const port = await listening(createServer());
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    expect(await check({ PORT: String(port) })).toEqual([`ok port: 127.0.0.1:${port} is free`]);
  });

  it("is used by another program", async () => {
    const port = await listening(createHttpServer((_request, response) => response.end("hello")));
    expect(await check({ PORT: String(port) })).toEqual([
      `fail port: 127.0.0.1:${port} is used by another program | Stop it, or choose another port: PORT=${port + 1}`,
    ]);
  });

  it("is used by a program that never answers", async () => {
    const port = await listening(createServer());
    expect((await check({ PORT: String(port) }))[0]).toContain("is used by another program");
  });

  it("is used by a Sallyport that runs", async () => {
    const health = JSON.stringify({ status: "ok", version: "9.9.9", tools: 3 });
    const port = await listening(createHttpServer((_request, response) => response.end(health)));
    expect(await check({ PORT: String(port) })).toEqual([`ok port: 127.0.0.1:${port} is used by a Sallyport 9.9.9 that is running (ok)`]);
  });

  it("is on an address that this machine does not have", async () => {
    expect((await check({ PORT: "4747", HOST: "192.0.2.1" }))[0]).toContain("fail port: 192.0.2.1 is no address of this machine");
  });
});
