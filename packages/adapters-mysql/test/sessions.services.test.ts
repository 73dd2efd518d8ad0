import { hasService, privateMariadb, type PrivateMariadb } from "@sallyport/adapter-kit";
import type { Gateway } from "@sallyport/core";
import { createTestGateway } from "@sallyport/core/testing";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mysql } from "../src/index.js";

describe.skipIf(!hasService("mariadb"))("sessions of two gateways on one MariaDB", () => {
  let db: PrivateMariadb;
  let name: string;
  let gateways: Gateway[] = [];
  beforeAll(async () => {
    db = await privateMariadb({ settings: ["--innodb-flush-log-at-trx-commit=0"] });
    name = await db.database();
  });
  afterAll(() => db.dispose());
  beforeEach(async () => {
    gateways = [];
    for (let i = 0; i < 2; i++) {
      const gateway = await createTestGateway({
        storage: mysql(db.url(name)),
        secret: new Uint8Array(32).map((_, k) => (k * 89 + 7) % 251),
      });
      gateway.providers.add({
        name: "house",
        models: ["count"],
        answer: async function* (call) {
          yield { type: "start", id: "a", model: "count", createdAtMs: 0 };
          yield { type: "text-start", index: 0, block: 0 };
          yield { type: "text-delta", index: 0, block: 0, text: `${call.messages.length}` };
          yield { type: "text-end", index: 0, block: 0 };
          yield { type: "finish", index: 0, reason: "stop" };
        },
      });
      gateways.push(gateway);
    }
  });
  afterEach(() => Promise.all(gateways.map((gateway) => gateway.close({ graceMs: 0 }))));
  const textOf = (one: { readonly message: { readonly content: readonly unknown[] } }): string =>
    (one.message.content[0] as { text: string }).text;
  /** Messages of sessions that are not there. */
  const orphans = async (): Promise<string> =>
    (
      await db.sql(`select count(*) from ${name}.session_messages m left join ${name}.sessions s on s.id = m.stream where s.id is null;`)
    ).trim();

  it("writers at once lose and reorder nothing: each append whole, each writer's own in its order", async () => {
    const { id } = await gateways[0]!.sessions.create();
    const acked: { readonly firstSeq: number; readonly texts: readonly string[] }[] = [];
    const writer = async (w: number): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        const texts = Array.from({ length: 1 + ((w + i) % 3) }, (_, k) => `${w}.${i}.${k}`);
        const { firstSeq } = await gateways[w % 2]!.sessions.append(
          id,
          texts.map((content) => ({ role: "user" as const, content })),
        );
        acked.push({ firstSeq, texts });
      }
    };
    await Promise.all(Array.from({ length: 8 }, (_, w) => writer(w)));
    const { messages } = await gateways[1]!.sessions.messages(id, { limit: 1000 });
    expect(messages.map(({ seq }) => seq)).toEqual(messages.map((_, i) => i + 1));
    expect(messages).toHaveLength(acked.reduce((sum, { texts }) => sum + texts.length, 0));
    for (const { firstSeq, texts } of acked) expect(messages.slice(firstSeq - 1, firstSeq - 1 + texts.length).map(textOf)).toEqual(texts);
    for (let w = 0; w < 8; w++) {
      const own = messages.map(textOf).filter((text) => text.startsWith(`${w}.`));
      const [turns] = [own.map((text) => text.split(".").slice(1).map(Number) as [number, number])];
      expect(turns).toEqual([...turns].sort((a, b) => a[0] - b[0] || a[1] - b[1]));
    }
    expect(await gateways[0]!.sessions.get(id)).toMatchObject({ messageCount: messages.length, lastSeq: messages.length });
  });

  it("a deletion while others append, branch and take turns leaves no message behind", async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = await gateways[0]!.sessions.create({ model: "house/count" });
      await gateways[0]!.sessions.append(id, "first");
      const appends = Array.from({ length: 8 }, (_, i) => gateways[i % 2]!.sessions.append(id, `m${i}`).then(() => "kept", codeOf));
      const turn = Promise.resolve(gateways[1]!.run({ session: id, input: "?" })).then(() => "done", codeOf);
      const branch = gateways[1]!.sessions.branch(id).then(() => "made", codeOf);
      const [results] = await Promise.all([Promise.all(appends), gateways[round % 2]!.sessions.delete(id), turn, branch]);
      for (const result of results) expect(["kept", "not_found"]).toContain(result);
      expect(["done", "not_found"]).toContain(await turn);
      expect(["made", "not_found"]).toContain(await branch);
      expect(await gateways[0]!.sessions.get(id)).toBeNull();
    }
    expect(await orphans()).toBe("0");
  });

  it("of turns at once, in both processes, one goes on and the others are refused; all that succeeded are whole, one after the other", async () => {
    const { id } = await gateways[0]!.sessions.create({ model: "house/count" });
    let done = 0;
    for (let round = 0; round < 4; round++) {
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, (_, i) =>
          Promise.resolve(gateways[i % 2]!.run({ session: id, input: `q${round}.${i}` })).then(() => "done", codeOf),
        ),
      );
      for (const outcome of outcomes) expect(["done", "conflict"]).toContain(outcome);
      done += outcomes.filter((outcome) => outcome === "done").length;
    }
    expect(done).toBeGreaterThanOrEqual(4);
    const { messages } = await gateways[0]!.sessions.messages(id, { limit: 1000 });
    // Each was told of every turn before it: its answer says how many messages it saw.
    expect(messages.map((one, i) => (i % 2 === 0 ? one.message.role : textOf(one)))).toEqual(
      messages.map((_, i) => (i % 2 === 0 ? "user" : String(i))),
    );
    expect(messages).toHaveLength(done * 2);
  });
});

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
