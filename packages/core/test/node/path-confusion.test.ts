import { describe, expect, it } from "vitest";
import { OWNER_KEY } from "../http/edge-harness.js";
import { rawConnection, servedEdge } from "./serve-harness.js";

/** What stands before, within and after the path of a protected route in attempts to reach it by another name. */
const disguises = [
  ...[
    "//{p}",
    "///{p}",
    "/./{p}",
    "/x/../{p}",
    "/%2e/{p}",
    "/x/%2e%2e/{p}",
    "/x/..;/{p}",
    "/;/{p}",
    "/;x=1/{p}",
    "/.;/{p}",
    "/%2f{p}",
    "/%5c{p}",
  ],
  ...[
    "/\\{p}",
    "/{p}%00",
    "/{p}%20",
    "/{p}.",
    "/{p};",
    "/{p};x=1",
    "/{p}%3b",
    "/{p}/.",
    "/{p}/..",
    "/{p}%2f",
    "/{p}//",
    "/{p}.json",
    "/{p}~",
    "/{p}*",
  ],
  ...[
    "/{p}%0d%0ax-request-id:%20evil",
    "/{p}#fragment",
    "/%76%31/models",
    "/V1/models",
    "/v1/Models",
    "/v1%2fmodels",
    "/v1\\models",
    "/v1/./models",
  ],
  ...[
    "/v1/x/../models",
    "/v1//models",
    "/health/../{p}",
    "/health/..%2f{p}",
    "/health;/{p}",
    "/health%2f..%2f{p}",
    "/ready/%2e%2e/{p}",
    "/api/v1/%2e%2e/{p}",
  ],
  ...[
    "/open/{p}",
    "/ai/{p}",
    "/%u002fv1/models",
    "/\u00e9/{p}",
    "*",
    "v1/models",
    "localhost:80",
    "/{p}%c0%af",
    "/%c0%ae%c0%ae/{p}",
    "/?/../{p}",
    "/health?/../{p}",
  ],
  ...[
    "http://localhost/{p}",
    "http://localhost//{p}",
    "HTTP://localhost/{p}",
    "http://evil.test/{p}",
    "http://user@localhost/{p}",
    "http://localhost/%2e/{p}",
  ],
];
const protectedPaths = ["v1/models", "api/v1/runs", "api/v1/keys", "api/v1/list/users", "mcp"];
const hosts = ["localhost", "127.0.0.1:1", "[::1]:4747"];

describe("a request line in disguise (T06, raw sockets)", () => {
  it("never reaches a protected handler without a credential", async () => {
    const harness = await servedEdge();
    let asked = 0;
    for (const path of protectedPaths)
      for (const disguise of disguises)
        for (const host of hosts) {
          const target = disguise.replaceAll("{p}", path);
          const { write, ended } = await rawConnection(harness.serving.port);
          write(
            `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Forwarded-For: 127.0.0.1\r\nX-Original-Url: /${path}\r\nX-Rewrite-Url: /${path}\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n`,
          );
          const answer = await ended();
          const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
          asked++;
          const isHealth = /^\/health\?/.test(target);
          expect([target, host, status < 300]).toEqual([target, host, isHealth]);
          expect([target, status >= 500]).toEqual([target, false]);
          expect(answer).not.toContain("evil\r\n");
        }
    expect(asked).toBeGreaterThan(400);
    expect(harness.runs.started).toEqual([]);
  });

  it("is, with a credential, either exactly the route it names or nothing at all", async () => {
    const harness = await servedEdge();
    const served = new Map<string, number>();
    for (const disguise of disguises) {
      const target = disguise.replaceAll("{p}", "v1/models");
      const { write, ended } = await rawConnection(harness.serving.port);
      write(`GET ${target} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${OWNER_KEY}\r\nConnection: close\r\n\r\n`);
      const answer = await ended();
      if (answer.includes('"object":"list"')) served.set(target, 200);
    }
    expect([...served.keys()].sort()).toEqual(["HTTP://localhost/v1/models", "http://localhost/v1/models"]);
  });

  it("in absolute form names its own host, whatever the Host header says", async () => {
    const harness = await servedEdge();
    const ask = async (target: string, host: string) => {
      const { write, ended } = await rawConnection(harness.serving.port);
      write(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return /^HTTP\/1\.1 (\d{3})/.exec(await ended())?.[1];
    };
    expect(await ask("http://localhost/health", "evil.test")).toBe("200");
    expect(await ask("http://evil.test/health", "localhost")).toBe("403");
    expect(await ask("http://localhost?x", "localhost")).toBe("404");
  });
});
