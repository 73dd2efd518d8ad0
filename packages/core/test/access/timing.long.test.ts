import { afterAll, beforeAll, expect, it } from "vitest";
import { Passwords } from "../../src/access/people/passwords.js";

// T40, at the place that costs time: what differs between a user that there is and one that there is not is which hash the password is checked against.

const SAMPLES = 600;
const passwords = new Passwords();
let hash: string;
beforeAll(async () => {
  hash = await passwords.hash("correct horse battery");
  await passwords.warm();
});
afterAll(() => undefined);

async function timeOf(stored: string | null): Promise<number> {
  const began = performance.now();
  await passwords.verify("wrong password of some length", stored);
  return performance.now() - began;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;

/** The two-sided p of Mann-Whitney's U, by the normal approximation. */
function pOf(a: readonly number[], b: readonly number[]): number {
  const ranked = [...a.map((value) => ({ value, of: 0 })), ...b.map((value) => ({ value, of: 1 }))].sort((x, y) => x.value - y.value);
  const ranks = ranked.reduce((sum, { of }, i) => (of === 0 ? sum + i + 1 : sum), 0);
  const u = ranks - (a.length * (a.length + 1)) / 2;
  const z = Math.abs(u - (a.length * b.length) / 2) / Math.sqrt((a.length * b.length * (a.length + b.length + 1)) / 12);
  // Abramowitz and Stegun 7.1.26
  const t = 1 / (1 + 0.3275911 * (z / Math.SQRT2));
  const erf = 1 - ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * Math.exp(-(z * z) / 2);
  return 1 - erf;
}

it("a sign-in takes as long for a user that there is not (T40)", async () => {
  const [known, unknown]: [number[], number[]] = [[], []];
  for (let i = 0; i < SAMPLES; i++) {
    // In turn, and each first half of the time: a machine that slows down slows both.
    const order = i % 2 === 0 ? [true, false] : [false, true];
    for (const isKnown of order) (isKnown ? known : unknown).push(await timeOf(isKnown ? hash : null));
  }
  expect(Math.abs(median(known) - median(unknown))).toBeLessThan(2);
  expect(pOf(known, unknown)).toBeGreaterThan(0.01);
});
