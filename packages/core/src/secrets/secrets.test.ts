import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bool, dataKey, defineEntity, field, longText, text } from "../entities/index.js";
import { memoryStore } from "../memory/index.js";
import { crypto } from "../platform/node-crypto.js";
import { files } from "../platform/node-files.js";
import { insert, type RecordStore, type SecretSource } from "../ports/index.js";
import { FakeClock } from "../testing/fake-clock.js";
import { Log } from "../util/log.js";
import { Secret } from "../util/secret.js";
import { z } from "zod";
import { GatewaySecrets, type GatewaySecretsOptions } from "./gateway-secrets.js";
import { Redactor } from "./redactor.js";

const channel = defineEntity({
  name: "channel",
  table: "channels",
  kind: "record",
  scope: null,
  fields: {
    token: field(z.string().nullable(), { access: "secret", column: longText }),
    other: field(z.string().nullable(), { access: "secret", column: longText }),
    label: field(z.string(), { access: "open", column: text(20) }),
    on: field(z.boolean(), { access: "open", column: bool }),
  },
});
const A = crypto.sha256(new Uint8Array([1]));
const B = crypto.sha256(new Uint8Array([2]));
const C = crypto.sha256(new Uint8Array([3]));
const clock = new FakeClock();
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const scope = { system: "test" };

function secretsOn(store: RecordStore, o: Partial<GatewaySecretsOptions> = {}) {
  const redactor = new Redactor();
  const log = new Log("silent", () => undefined);
  const base = {
    store,
    crypto,
    clock,
    log,
    env: {},
    secret: A,
    previous: [],
    sources: [],
    redactor,
    entities: [channel],
    settleMs: 0,
    readFile: files.read,
  };
  return { secrets: new GatewaySecrets({ ...base, ...o }), redactor };
}
async function started(store: RecordStore, o: Partial<GatewaySecretsOptions> = {}): Promise<GatewaySecrets> {
  const { secrets } = secretsOn(store, o);
  await secrets.start({});
  return secrets;
}
const store = () => memoryStore({ clock });
const place = { table: "channels", column: "token", rowId: "c1" };
const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "none";
};

describe("a sealed value", () => {
  it("opens where it was sealed, and reads as nothing else", async () => {
    const secrets = await started(store());
    const sealed = secrets.seal("hunter2-canary", place);
    expect(sealed).toMatch(/^v1\.k1\.[A-Za-z0-9_-]+$/);
    expect(secrets.open(sealed, place).reveal()).toBe("hunter2-canary");
    expect(sealed).not.toContain("hunter2");
    expect(secrets.seal("hunter2-canary", place)).not.toBe(sealed);
  });

  it("opens in no other row, column or table, and not once it was changed (T10)", async () => {
    const secrets = await started(store());
    const sealed = secrets.seal("hunter2-canary", place);
    const others = [{ rowId: "c2" }, { column: "other" }, { table: "keys" }];
    for (const other of others) expect(codeOf(() => secrets.open(sealed, { ...place, ...other }))).toBe("state_corrupt");
    for (let i = 0; i < sealed.length; i++) {
      const flipped = sealed.slice(0, i) + (sealed[i] === "A" ? "B" : "A") + sealed.slice(i + 1);
      // The last character of base64 has bits that nothing reads.
      if (i < sealed.length - 1) expect(codeOf(() => secrets.open(flipped, place))).toBe("state_corrupt");
    }
    expect(codeOf(() => secrets.open("hunter2-canary", place))).toBe("state_corrupt");
  });

  it("comes back whatever it was", async () => {
    const secrets = await started(store());
    fc.assert(fc.property(fc.string({ unit: "binary" }), (value) => secrets.open(secrets.seal(value, place), place).reveal() === value));
  });
});

describe("the keys of a store", () => {
  it("are made once by however many processes start at once", async () => {
    const on = store();
    const all = await Promise.all(Array.from({ length: 20 }, () => started(on)));
    const sealed = all.map((secrets) => secrets.seal("hunter2-canary", place));
    for (const secrets of all) for (const text of sealed) expect(secrets.open(text, place).reveal()).toBe("hunter2-canary");
    expect(new Set(all.map((secrets) => Buffer.from(secrets.root()).toString("hex"))).size).toBe(1);
  });

  it("are in the store only wrapped", async () => {
    const on = store();
    const root = (await started(on)).root();
    const { rows } = await on.find(dataKey, { orderBy: "id", limit: 10 }, scope, within);
    expect(rows).toHaveLength(2);
    for (const form of ["hex", "base64", "base64url"] as const)
      expect(JSON.stringify(rows)).not.toContain(Buffer.from(root).toString(form));
  });

  it("refuse another secret by name, and follow a new one that comes with the old", async () => {
    const on = store();
    const first = await started(on);
    const sealed = first.seal("hunter2-canary", place);
    await expect(started(on, { secret: B })).rejects.toMatchObject({
      code: "misconfigured",
      hint: expect.stringContaining("SALLYPORT_PREVIOUS_SECRETS"),
    });
    const second = await started(on, { secret: B, previous: [A] });
    expect(second.open(sealed, place).reveal()).toBe("hunter2-canary");
    expect(second.root()).toEqual(first.root());
    // From now on the old one is not needed, and no use.
    expect((await started(on, { secret: B })).open(sealed, place).reveal()).toBe("hunter2-canary");
    await expect(started(on, { secret: A })).rejects.toMatchObject({ code: "misconfigured" });
    expect((await started(on, { secret: C, previous: [B, A] })).open(sealed, place).reveal()).toBe("hunter2-canary");
  });

  it("rotate while the gateway runs: every row is under the new key, and nothing is lost", async () => {
    const on = store();
    const { secrets } = secretsOn(on);
    await secrets.start({});
    const ids = Array.from({ length: 450 }, (_, i) => `c${i}`);
    const units = ids.map((id) => ({
      scope,
      writes: [insert(channel, { id, label: id, on: true, token: secrets.seal(`token of ${id}`, { ...place, rowId: id }), other: null })],
    }));
    await on.commit(units, within);
    const before = secrets.seal("x", place).split(".")[1];
    expect(await secrets.rotate()).toEqual({ rows: 450, left: 0 });
    expect(secrets.seal("x", place).split(".")[1]).not.toBe(before);
    for (const id of ids) {
      const row = (await on.get(channel, id, scope, within))!;
      expect(row.token!.split(".")[1]).not.toBe(before);
      expect(secrets.open(row.token!, { ...place, rowId: id }).reveal()).toBe(`token of ${id}`);
    }
    expect(await secrets.rotate()).toEqual({ rows: 450, left: 0 });
  });

  it("leave a value that does not open, and count it", async () => {
    const on = store();
    const secrets = await started(on);
    const token = secrets.seal("of another row", { ...place, rowId: "elsewhere" });
    await on.commit([{ scope, writes: [insert(channel, { id: "c1", label: "", on: true, token, other: null })] }], within);
    expect(await secrets.rotate()).toEqual({ rows: 0, left: 1 });
  });
});

describe("a secret that stands elsewhere", () => {
  it("has its value once the gateway has started, and a newer one when it may have changed", async () => {
    let value = "first-value";
    const source: SecretSource = {
      scheme: "secret",
      resolve: (ref) => Promise.resolve({ value: `${ref}:${value}`, refreshAtMs: clock.now() + 1_000 }),
    };
    const { secrets, redactor } = secretsOn(store(), { sources: [source], env: { FROM_ENV: "of-the-environment" } });
    const config = { a: { key: Secret.at("secret:vault/a") }, b: [Secret.at("env:FROM_ENV")], c: new Secret("plain-value") };
    expect(() => config.a.key.reveal()).toThrow(/has not been read/);
    await secrets.start(config);
    expect(config.a.key.reveal()).toBe("vault/a:first-value");
    expect(config.b[0]!.reveal()).toBe("of-the-environment");
    value = "second-value";
    await clock.advance(1_000);
    expect([config.a.key.reveal(), config.a.key.revision]).toEqual(["vault/a:second-value", 2]);
    expect(redactor.redact("vault/a:first-value, vault/a:second-value, of-the-environment, plain-value")).toBe("***, ***, ***, ***");
    secrets.close();
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });

  it("keeps its last value while its source fails", async () => {
    let fails = false;
    const resolve: SecretSource["resolve"] = () =>
      fails ? Promise.reject(new Error("down")) : Promise.resolve({ value: "good-value", refreshAtMs: clock.now() + 1_000 });
    const { secrets } = secretsOn(store(), { sources: [{ scheme: "secret", resolve }] });
    const key = Secret.at("secret:x");
    await secrets.start({ key });
    fails = true;
    await clock.advance(60_000);
    expect(key.reveal()).toBe("good-value");
    secrets.close();
  });

  it.each([
    ["env:NOT_THERE", /NOT_THERE/],
    ["file:/nowhere/at/all", /no such file/],
    ["other:x", /env:, file:, infisical:/],
    ["infisical:NAME", /INFISICAL_CLIENT_ID/],
  ])("refuses the start when %s cannot be read", async (reference, hint) => {
    const { secrets } = secretsOn(store());
    await expect(secrets.start({ key: Secret.at(reference) })).rejects.toMatchObject({
      code: "misconfigured",
      hint: expect.stringMatching(hint),
    });
  });
});

describe("the redactor", () => {
  const value = "s3cr3t/canary+value=7";
  it("takes a secret out in every form that it is written in (T26)", () => {
    const redactor = new Redactor();
    redactor.add(value);
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const whole = before + value + after;
        const bytes = Buffer.from(whole);
        const forms = [
          whole,
          encodeURIComponent(value),
          JSON.stringify({ value }),
          bytes.toString("base64"),
          bytes.toString("base64url"),
          bytes.toString("hex"),
        ];
        return forms.every((form) => {
          const text = redactor.redact(form);
          return !text.includes(value) && !Buffer.from(text, "base64").includes(value) && !Buffer.from(text, "hex").includes(value);
        });
      }),
    );
  });

  it("masks fields by their name, and leaves other values as they are", () => {
    const redactor = new Redactor();
    redactor.add(value);
    expect(
      redactor.redactJson({ n: 1, ok: true, none: null, apiKey: "x", list: [value], deep: { Authorization: "Bearer x", note: "fine" } }),
    ).toEqual({
      ...{ n: 1, ok: true, none: null, apiKey: "***", list: ["***"] },
      deep: { Authorization: "***", note: "fine" },
    });
  });

  it("leaves short values, which stand in texts by chance", () => {
    const redactor = new Redactor();
    redactor.add("the");
    expect(redactor.redact("the text")).toBe("the text");
  });
});

describe("a gateway that was given no secret", () => {
  it("seals with keys of its process, leaves the store without any, and starts again on the same store", async () => {
    const on = store();
    const first = await started(on, { isOwn: true });
    const sealed = first.seal("hunter2-canary", place);
    expect(first.open(sealed, place).reveal()).toBe("hunter2-canary");
    expect(await first.rotate()).toEqual({ rows: 0, left: 0 });
    expect(first.open(sealed, place).reveal()).toBe("hunter2-canary");
    expect((await on.find(dataKey, { orderBy: "id", limit: 10 }, scope, within)).rows).toEqual([]);
    const second = await started(on, { isOwn: true, secret: B });
    expect(codeOf(() => second.open(sealed, place))).toBe("state_corrupt");
    // Nor does it take a store's own keys for a fault.
    await started(on, { secret: C });
    await started(on, { isOwn: true, secret: B });
  });
});
