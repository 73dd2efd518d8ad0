import { expect, it } from "vitest";
import { crypto } from "../../../platform/node-crypto.js";
import { FakeClock } from "../../../testing/index.js";
import { RequestStates, type Bond, type Carried } from "./request-state.js";

const bond: Bond = { callerId: "ada", address: "", server: "s", method: "tools/call", asked: '["t",{"a":1,"b":[2]}]' };
const all: readonly Carried[] = [
  { kind: "held", row: "parked_1", round: 1 },
  { kind: "relay", theirs: '"theirs"' },
  { kind: "again" },
  { kind: "task", server: "s", tool: "s__t", theirs: "task-1" },
];
function place() {
  const clock = new FakeClock();
  const key = crypto.random(32);
  return { clock, states: new RequestStates({ crypto, clock, key: () => key }) };
}

it.each(all)(
  "a request state ($kind) opens for its caller, address, server, method and arguments alone, and for no longer than it may (T45)",
  async (carried) => {
    const { clock, states } = place();
    const state = states.seal(carried, bond, clock.now() + 1_000);
    const opened = states.open(state, bond)!;
    expect(opened).toEqual({ carried, id: expect.stringMatching(/^[0-9a-f]{64}$/) as string, expiresAtMs: clock.now() + 1_000 });
    // The same arguments, written otherwise.
    expect(states.open(state, { ...bond, asked: '["t", {"b":[2], "a":1}]' })).toEqual(opened);
    // Another state that carries the same is another.
    expect(states.open(states.seal(carried, bond, clock.now() + 1_000), bond)!.id).not.toBe(opened.id);
    const others: Partial<Bond>[] = [
      { callerId: "eve" },
      { address: "ns" },
      { server: "s2" },
      { method: "prompts/get" },
      { asked: '["t",{"a":1,"b":[3]}]' },
      { asked: '["u",{"a":1,"b":[2]}]' },
    ];
    for (const other of others) expect(states.open(state, { ...bond, ...other })).toBeNull();
    expect(place().states.open(state, bond)).toBeNull();
    await clock.advance(1_000);
    expect(states.open(state, bond)).toBeNull();
  },
);

it.each(all)("a request state ($kind) with any bit flipped, cut or made up opens for nobody (T45)", (carried) => {
  const { clock, states } = place();
  const state = states.seal(carried, bond, clock.now() + 1_000);
  const bytes = Buffer.from(state, "base64url");
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3]! ^= 1 << (bit & 7);
    expect(states.open(changed.toString("base64url"), bond)).toBeNull();
  }
  for (let length = 0; length < bytes.length; length += 3)
    expect(states.open(bytes.subarray(0, length).toString("base64url"), bond)).toBeNull();
  for (const made of [
    "",
    "{}",
    "not base64 !",
    Buffer.from(JSON.stringify({ ...carried, expiresAtMs: Number.MAX_SAFE_INTEGER })).toString("base64url"),
  ])
    expect(states.open(made, bond)).toBeNull();
});

it("a text of a row opens for its row and field alone", () => {
  const { states } = place();
  const sealed = states.sealText("secret", "row/answers");
  expect([states.openText(sealed, "row/answers"), states.openText(sealed, "row/outcome"), states.openText("x", "row/answers")]).toEqual([
    "secret",
    null,
    null,
  ]);
});
