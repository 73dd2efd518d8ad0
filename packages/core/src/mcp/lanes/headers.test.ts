import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FakeClock } from "../../testing/fake-clock.js";
import { decodeHeaderValue, encodeHeaderValue } from "./http-headers.js";
import { LogOwner } from "./log-owner.js";
import { paramHeaders } from "./param-headers.js";

describe("header values", () => {
  it("come back as they were, and are safe to send, whatever the text (T20)", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (value) => {
        const wellFormed = new TextDecoder().decode(new TextEncoder().encode(value));
        const header = encodeHeaderValue(wellFormed);
        expect(header).toMatch(/^[\x20-\x7e]*$/);
        expect(decodeHeaderValue(header)).toBe(wellFormed);
      }),
    );
  });

  it("are plain where they can be, and never taken for what they are not", () => {
    expect(encodeHeaderValue("files__read")).toBe("files__read");
    expect(encodeHeaderValue(" spaced")).toBe("=?base64?IHNwYWNlZA==?=");
    expect(decodeHeaderValue(encodeHeaderValue("=?base64?eA==?="))).toBe("=?base64?eA==?=");
    expect(encodeHeaderValue("a\r\nevil: 1")).not.toMatch(/[\r\n]/);
    for (const bad of ["=?base64?eA=?=", "=?base64?e?=", "=?base64?/w==?="]) expect(decodeHeaderValue(bad)).toBeNull();
  });
});

describe("paramHeaders", () => {
  it("finds what is declared along properties, at any depth", () => {
    const schema = {
      type: "object",
      properties: {
        a: { type: "string", "x-mcp-header": "A" },
        b: { type: "object", properties: { c: { type: "boolean", "x-mcp-header": "C" } } },
      },
    };
    expect(paramHeaders(schema)).toEqual([
      { path: ["a"], header: "A" },
      { path: ["b", "c"], header: "C" },
    ]);
    expect(paramHeaders({ type: "object", properties: { default: { type: "string", default: { "x-mcp-header": 1 } } } })).toEqual([]);
  });

  it("takes a hostile schema in its stride", () => {
    let deep: object = { "x-mcp-header": "A" };
    for (let i = 0; i < 200; i++) deep = { properties: { a: deep } };
    expect(paramHeaders({ type: "object", ...deep })).toEqual([]);
  });
});

describe("LogOwner", () => {
  it("names the one caller whose a message can be, and nobody while two use the connection", async () => {
    const clock = new FakeClock();
    const logs = new LogOwner(clock);
    expect(logs.current()).toBeNull();
    logs.used("ada");
    logs.used(null);
    expect(logs.current()).toBe("ada");
    logs.used("bob");
    expect(logs.current()).toBeNull();
    await clock.advance(59_000);
    expect(logs.current()).toBeNull();
    await clock.advance(1_000);
    expect(logs.current()).toBe("bob");
    await clock.advance(60_000);
    logs.used("ada");
    expect(logs.current()).toBe("ada");
  });
});
