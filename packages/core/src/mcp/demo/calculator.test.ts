import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { calculate } from "./calculator.js";

describe("calculate", () => {
  it.each([
    ["1+2*3", 7],
    ["(1+2)*3", 9],
    ["2^3^2", 512],
    ["-2^2", -4],
    ["2^-1", 0.5],
    ["--3", 3],
    ["10 % 4", 2],
    ["7/2/2", 1.75],
    [" 1.5e3 + .5 ", 1500.5],
    ["sqrt(16) + max(1, 2, 3) - min(4)", 3],
    ["ROUND(2.5) + floor(-0.5) + ceil(0.1)", 3],
    ["cos(0) + sin(0) + ln(e) + log10(1000) + exp(0)", 6],
    ["2*pi", 2 * Math.PI],
  ])("%s is %d", (expression, value) => {
    expect(calculate(expression)).toBeCloseTo(value, 10);
  });

  it.each([
    ["", /Expected a number at position 1, found the end/],
    ["1+", /found the end/],
    ["1 2", /Expected an operator or the end at position 3, found "2"/],
    ["(1", /Expected "\)"/],
    ["1/0", /not a finite number/],
    ["sqrt(-1)", /not a finite number/],
    ["sqrt", /Expected "\(" after sqrt/],
    ["sqrt(1,2)", /takes 1 value, not 2/],
    ["process.exit()", /"process" is not known/],
    ["constructor", /is not known/],
    ["1;2", /found ";"/],
    ["(".repeat(500), /deeper than 100 levels/],
    ["-".repeat(500) + "1", /deeper than 100 levels/],
    ["1+".repeat(600) + "1", /longer than 1000 characters/],
  ])("refuses %j", (expression, message) => {
    expect(() => calculate(expression)).toThrow(message);
  });

  it("agrees with JavaScript on what both can read", () => {
    const { expression } = fc.letrec<{ expression: string; atom: string }>((tie) => ({
      atom: fc.oneof(
        fc.nat(99).map(String),
        tie("expression").map((inner) => `(${inner})`),
      ),
      expression: fc.oneof(
        { maxDepth: 4 },
        fc.nat(99).map(String),
        fc.tuple(tie("atom"), fc.constantFrom("+", "-", "*", "%"), tie("atom")).map((parts) => parts.join(" ")),
      ),
    }));
    fc.assert(
      fc.property(expression, (text) => {
        // oxlint-disable-next-line no-eval -- the oracle of a test, fed with digits and operators only
        const expected = (0, eval)(text) as number;
        if (Number.isFinite(expected)) expect(calculate(text)).toBeCloseTo(expected, 6);
        else expect(() => calculate(text)).toThrow();
      }),
    );
  });

  it("ends quickly for any text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 1000 }), (text) => {
        try {
          expect(calculate(text)).toBeTypeOf("number");
        } catch (error) {
          expect(error).toMatchObject({ code: "validation_failed" });
        }
      }),
    );
  });
});
