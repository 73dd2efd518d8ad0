import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { codes } from "./codes.js";
import { GatewayError } from "./gateway-error.js";

const page = readFileSync(new URL("../../../../docs/reference/errors.md", import.meta.url), "utf8");

describe("the error table", () => {
  it("has one heading for each code in docs/reference/errors.md, in the table's order, and the page lists no others", () => {
    expect([...page.matchAll(/^## (.+)$/gm)].map((match) => match[1])).toEqual(Object.keys(codes));
  });

  it.each(Object.entries(codes))("%s is described there as it is", (code, row) => {
    const section = page.split(`## ${code}\n`)[1]?.split("\n## ")[0] ?? "";
    expect(section).toContain(`${row.status} · ${row.retryable ? "retryable" : "not retryable"} · blame: ${row.blame}`);
    expect(section).toContain(row.summary);
  });
});

describe("GatewayError", () => {
  it("is recognised across copies of the class, and by code", () => {
    const error = new GatewayError("not_found", "gone");
    expect(GatewayError.is(error)).toBe(true);
    expect(GatewayError.is(error, "not_found")).toBe(true);
    expect(GatewayError.is(error, "conflict")).toBe(false);
    expect(GatewayError.is({ code: "not_found" })).toBe(false);
    expect(GatewayError.is(null)).toBe(false);
  });

  it("never carries its cause into JSON", () => {
    const error = new GatewayError("internal", "failed", { cause: new Error("canary"), hint: "look", details: { id: 1 } });
    expect(JSON.parse(JSON.stringify(error))).toEqual({ code: "internal", message: "failed", hint: "look", details: { id: 1 } });
  });

  it("says nothing of an unexpected error's text, and keeps it as the cause", () => {
    const cause = new Error("canary");
    const error = GatewayError.from(cause);
    expect(error.code).toBe("internal");
    expect(error.cause).toBe(cause);
    expect(JSON.stringify(error)).not.toContain("canary");
    expect(GatewayError.from(new DOMException("x", "AbortError")).code).toBe("cancelled");
    expect(GatewayError.from(new DOMException("x", "TimeoutError")).code).toBe("deadline_exceeded");
  });
});
