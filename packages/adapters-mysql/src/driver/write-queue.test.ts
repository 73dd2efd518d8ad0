import { expect, it } from "vitest";
import { WriteQueue } from "./write-queue.js";

const queueOf = (...all: readonly (readonly string[])[]): WriteQueue => {
  const queue = new WriteQueue({ writers: 4, maxWaiting: 100, waitMs: 60_000 });
  for (const holds of all)
    queue.add({
      work: () => (function* () {})(),
      holds,
      w: { deadlineMs: Date.now() + 60_000 },
      resolve: () => undefined,
      reject: () => undefined,
    });
  return queue;
};
const heldBy = (jobs: ReturnType<WriteQueue["next"]>): string[] => jobs.map(({ holds }) => holds.join("+"));
/** More than one transaction takes, of what nobody else locks. */
const fill = (name: string, count: number): string[][] => Array.from({ length: count }, (_, i) => [`${name}${i}`]);

it("what locks the same row goes together, or waits until it is free", () => {
  const queue = queueOf(["a"], ...fill("x", 7), ["b"], ["a"]);
  const first = queue.next();
  expect(heldBy(first)).toEqual(["a", "x0", "x1", "x2", "x3", "x4", "x5", "x6", "a"]);
  const second = queue.next();
  expect(heldBy(second)).toEqual(["b"]);
  queue.add({ ...first[0]! });
  queue.add({ ...second[0]! });
  expect(queue.next()).toEqual([]);
  queue.done(second);
  expect(heldBy(queue.next())).toEqual(["b"]);
  queue.done(first);
  expect(heldBy(queue.next())).toEqual(["a"]);
  expect(queue.isEmpty).toBe(true);
  queue.close();
});

it("a job that waits for two rows is not overtaken by those that want one of them", () => {
  const queue = queueOf(["a"]);
  const first = queue.next();
  queue.add({ ...first[0]!, holds: ["a", "b"] });
  queue.add({ ...first[0]!, holds: ["b"] });
  queue.add({ ...first[0]!, holds: ["c"] });
  expect(heldBy(queue.next())).toEqual(["c"]);
  queue.done(first);
  expect(heldBy(queue.next())).toEqual(["a+b", "b"]);
  queue.close();
});
