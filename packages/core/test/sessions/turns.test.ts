import { afterEach, expect, it } from "vitest";
import type { Gateway } from "../../src/gateway.js";
import { memoryStore } from "../../src/memory/index.js";
import { createTestGateway, script, type TestGatewayOptions } from "../../src/testing/index.js";

const open: Gateway[] = [];
afterEach(async () => {
  for (const gateway of open.splice(0)) await gateway.close({ graceMs: 0 });
});
async function gatewayWith(options: TestGatewayOptions): Promise<Gateway> {
  const gateway = await createTestGateway(options);
  open.push(gateway);
  return gateway;
}
const textsOf = async (gateway: Gateway, id: string): Promise<string[]> =>
  (await gateway.sessions.messages(id)).messages.map(({ seq, message }) => {
    const [part] = message.content;
    return `${seq} ${message.role}: ${part !== undefined && "text" in part ? part.text : part?.type}`;
  });

it("a run in a session is told what was said there, and leaves its turn there", async () => {
  const model = script("Hello Ada.", "Your name is Ada.");
  const gateway = await gatewayWith({ model });
  const { id } = await gateway.sessions.create({ model: "test/script", instructions: "Be short." });
  expect(await gateway.run({ session: id, input: "I am Ada." }).text).toBe("Hello Ada.");
  expect(await gateway.run({ session: id, input: "Who am I?" }).text).toBe("Your name is Ada.");
  expect(model.calls[1]?.messages.map(({ role, content }) => [role, (content[0] as { text: string }).text])).toEqual([
    ["system", "Be short."],
    ["user", "I am Ada."],
    ["assistant", "Hello Ada."],
    ["user", "Who am I?"],
  ]);
  expect(await textsOf(gateway, id)).toEqual([
    "1 user: I am Ada.",
    "2 assistant: Hello Ada.",
    "3 user: Who am I?",
    "4 assistant: Your name is Ada.",
  ]);
  expect(await gateway.sessions.get(id)).toMatchObject({ messageCount: 4, lastSeq: 4, turnId: null, version: 1, provider: "test" });
});

it("a turn knows of what was said between the look at its session and its beginning", async () => {
  const model = script("Both.");
  const store = memoryStore();
  let meanwhile: (() => Promise<unknown>) | null = null;
  const commit = store.commit.bind(store);
  store.commit = async (units, within) => {
    const isRun = units.some(({ writes }) => writes.some((write) => write.op === "insert" && write.entity.name === "run"));
    const first = isRun ? meanwhile : null;
    if (first !== null) meanwhile = null;
    await first?.();
    return commit(units, within);
  };
  const gateway = await gatewayWith({ model, storage: { name: "memory", open: async () => store } });
  const { id } = await gateway.sessions.create({ model: "test/script" });
  meanwhile = () => gateway.sessions.append(id, [{ role: "user", content: "first" }]);
  expect(await gateway.run({ session: id, input: "second" }).text).toBe("Both.");
  expect(model.calls[0]?.messages.map(({ content }) => (content[0] as { text: string }).text)).toEqual(["first", "second"]);
  expect(await textsOf(gateway, id)).toEqual(["1 user: first", "2 user: second", "3 assistant: Both."]);
});
