import { expect, it } from "vitest";
import { KeyPool, type ProviderKey } from "./key-pool.js";

const none = new Set<never>();
const values = (pool: KeyPool, picks: number) => Array.from({ length: picks }, () => pool.pick(none, 0)!.secret.reveal());

it("spreads calls by weight", () => {
  let turn = 0;
  const random = () => (turn++ % 10) / 10;
  const pool = new KeyPool([{ value: "a", weight: 3 }, { value: "b" }, { value: "c", weight: 6 }], random);
  expect(values(pool, 10).join("")).toBe("aaabcccccc");
});

it("gives every key once to a call that tries them all", () => {
  const pool = new KeyPool([{ value: "a" }, { value: "b" }, { value: "c" }]);
  const tried = new Set<NonNullable<ReturnType<KeyPool["pick"]>>>();
  for (let key = pool.pick(tried, 0); key !== null; key = pool.pick(tried, 0)) tried.add(key);
  expect([...tried].map((key) => key.secret.reveal()).sort()).toEqual(["a", "b", "c"]);
});

it("leaves out a key that is set aside until its time, unless all are", () => {
  const pool = new KeyPool([{ value: "a" }, { value: "b" }], () => 0);
  const a = pool.pick(none, 0)!;
  pool.setAside(a, 1000);
  expect(pool.pick(none, 999)!.secret.reveal()).toBe("b");
  expect(pool.pick(none, 1000)!.secret.reveal()).toBe("a");
  pool.setAside(pool.pick(none, 999)!, 500);
  expect(pool.pick(none, 100)!.secret.reveal()).toBe("b");
});

it("gives a second key only when that is free: a call must not try slowed keys one after the other", () => {
  const pool = new KeyPool([{ value: "a" }, { value: "b" }], () => 0);
  const [a, b] = pool.all as [ProviderKey, ProviderKey];
  pool.setAside(b, 1000);
  expect(pool.pick(new Set([a]), 999)).toBeNull();
  expect(pool.pick(new Set([a]), 1000)).toBe(b);
});

it("says when the first key is free again", () => {
  const pool = new KeyPool([{ value: "a" }, { value: "b" }]);
  pool.setAside(pool.all[0]!, 1000);
  expect(pool.restsUntilMs(0)).toBeNull();
  pool.setAside(pool.all[1]!, 700);
  pool.setAside(pool.all[1]!, 600);
  expect(pool.restsUntilMs(0)).toBe(700);
  expect(pool.restsUntilMs(700)).toBeNull();
  expect(new KeyPool([]).restsUntilMs(0)).toBeNull();
});

it("gives a conversation the same key in each process, however its keys are ordered, and another while that one rests", () => {
  const conversations = Array.from({ length: 300 }, (_, i) => i * 7919);
  const keys = ["a", "b", "c"].map((value) => ({ value }));
  const [one, other] = [new KeyPool(keys), new KeyPool([...keys].reverse())];
  const of = (pool: KeyPool) => conversations.map((conversation) => pool.pick(none, 0, conversation)!.secret.reveal());
  const before = of(one);
  expect(of(one)).toEqual(before);
  expect(of(other)).toEqual(before);
  expect(new Set(before)).toEqual(new Set(["a", "b", "c"]));
  one.setAside(one.all[1]!, 10);
  of(one).forEach((key, i) => expect(key === before[i] || before[i] === "b").toBe(true));
  expect(of(one)).not.toContain("b");
});

it("still gives its only key when that is set aside: the vendor decides, not the pool", () => {
  const pool = new KeyPool([{ value: "a" }]);
  const key = pool.pick(none, 0)!;
  pool.setAside(key, 1e15);
  expect(pool.pick(none, 1)).toBe(key);
  expect(pool.pick(new Set([key]), 1)).toBeNull();
});

it("has nothing to give when it is empty", () => {
  expect(new KeyPool([]).pick(none, 0)).toBeNull();
});

it("shows its keys nowhere", () => {
  const pool = new KeyPool([{ value: "sk-canary" }]);
  expect(JSON.stringify([pool, pool.pick(none, 0)])).not.toContain("canary");
});
