import fc from "fast-check";
import { expect, it } from "vitest";
import { OpenExchanges } from "./open-exchanges.js";
import type { NodeExchange } from "./serve-answer.js";

it("keeps exactly those that were added and not taken out, in whatever order that happens", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ add: fc.boolean(), at: fc.nat(20) }), { maxLength: 60 }), (moves) => {
      const all = Array.from({ length: 21 }, () => ({ slot: -1 }) as NodeExchange);
      const open = new OpenExchanges();
      const expected = new Set<NodeExchange>();
      for (const { add, at } of moves) {
        const exchange = all[at]!;
        if (!add) {
          open.remove(exchange);
          expected.delete(exchange);
        } else if (!expected.has(exchange)) {
          open.add(exchange);
          expected.add(exchange);
        }
        expect(open.size).toBe(expected.size);
        expect(new Set(open.list())).toEqual(expected);
      }
    }),
  );
});
