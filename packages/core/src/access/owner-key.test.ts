import { describe, expect, it } from "vitest";
import { gatewayKey, plainKey } from "../entities/index.js";
import { GatewayError } from "../errors/index.js";
import { memoryStore } from "../memory/index.js";
import { clock, crypto } from "../platform/node.js";
import { insert } from "../ports/index.js";
import { Secret } from "../util/secret.js";
import { keyDigest } from "./key-digest.js";
import { ensureOwnerKey, OWNER_KEY_ID, refuseWeakOwnerKey } from "./owner-key.js";
import { readKeys } from "./read-keys.js";

const pepperBytes = crypto.sha256(new Uint8Array([1]));
const pepper = () => pepperBytes;
const toDigest = keyDigest(crypto, pepper);
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };
const GIVEN = 'any 32 printable: "q" <&> \\ {} ~!';
const OTHER = "9f8a7d6c5b4e3f2a1b0c9d8e7f6a5b4c";

function services() {
  return { store: memoryStore({ clock }), crypto, clock };
}

function refusal(key: string): GatewayError | null {
  try {
    refuseWeakOwnerKey(key);
    return null;
  } catch (error) {
    return GatewayError.from(error);
  }
}

describe("the owner's key", () => {
  it("is made once, shown once, and stored as a digest only", async () => {
    const s = services();
    const { shownOnce } = await ensureOwnerKey(s, { pepper });
    expect(shownOnce).toMatch(/^sallyport_owner_[\w-]{32}$/);
    expect(await ensureOwnerKey(s, { pepper })).toEqual({});
    const keys = await readKeys(s.store, within);
    expect([...keys.values()].map(({ digest }) => digest)).toEqual([toDigest(shownOnce!)]);
    expect(JSON.stringify([...keys.values()])).not.toContain(shownOnce);
    expect(keys.get(OWNER_KEY_ID)).toMatchObject({ kind: "owner", scopes: ["*"], projectId: "default" });
  });

  it("is made by exactly one of fifty processes that start at once", async () => {
    const s = services();
    const made = await Promise.all(Array.from({ length: 50 }, () => ensureOwnerKey(s, { pepper })));
    expect(made.filter(({ shownOnce }) => shownOnce !== undefined)).toHaveLength(1);
    expect((await readKeys(s.store, within)).size).toBe(1);
  });

  it("is the given one, whole, whatever it is made of; and is not shown", async () => {
    const s = services();
    expect(await ensureOwnerKey(s, { pepper, ownerKey: new Secret(GIVEN) })).toEqual({});
    expect((await readKeys(s.store, within)).get(OWNER_KEY_ID)?.digest).toBe(toDigest(GIVEN));
  });

  it("replaces another that was stored, which stops being valid; and then stays", async () => {
    const s = services();
    await ensureOwnerKey(s, { pepper });
    await ensureOwnerKey(s, { pepper, ownerKey: OTHER });
    expect((await readKeys(s.store, within)).get(OWNER_KEY_ID)?.digest).toBe(toDigest(OTHER));
    const version = (await s.store.get(gatewayKey, OWNER_KEY_ID, { system: "test" }, within))!.version;
    await ensureOwnerKey(s, { pepper, ownerKey: OTHER });
    expect((await s.store.get(gatewayKey, OWNER_KEY_ID, { system: "test" }, within))!.version).toBe(version);
  });

  it("cannot be the key of somebody else", async () => {
    const s = services();
    const row = { id: "key_1", name: "Ada", kind: "key" as const, digest: toDigest(OTHER), projectId: "default", scopes: [] };
    const writes = [insert(gatewayKey, { ...plainKey, ...row })];
    await s.store.commit([{ scope: { system: "test" }, writes }], within);
    await expect(ensureOwnerKey(s, { pepper, ownerKey: OTHER })).rejects.toMatchObject({ code: "invalid_config" });
  });

  it.each([
    ["31 characters", "9f8a7d6c5b4e3f2a1b0c9d8e7f6a5b4"],
    ["nothing", ""],
    ["a placeholder", "changeme-changeme-please-changeme"],
    ["a placeholder of a template", "<your-secret-api-key-goes-here-replace-me>".replace("goes-", "")],
    ["a placeholder with a digit", "replace_this_with_your_secret_key_1"],
    ["one character", "x".repeat(64)],
    ["a line break", "9f8a7d6c5b4e3f2a\n1b0c9d8e7f6a5b4c"],
    ["a character that no header takes", "9f8a7d6c5b4e3f2a1b0c9d8e7f6a5b4é"],
    ["a space at its end", "9f8a7d6c5b4e3f2a1b0c9d8e7f6a5b4c "],
  ])("is refused when it is %s", (_why, key) => {
    const error = refusal(key);
    expect(error?.code).toBe("invalid_config");
    expect(error?.hint).toContain("openssl rand");
    if (key.length > 0) expect(`${error?.message} ${error?.hint} ${JSON.stringify(error?.details)}`).not.toContain(key);
  });

  it.each([
    GIVEN,
    OTHER,
    "owner-key-of-the-tests-0123456789abcdef",
    "correct horse battery staple and a lamp",
    "Tk9PcE5vVGhpc0lzQVJlYWxLZXlPZkRlY2VudExlbmd0aA==",
    "3f9c1e70-5d2b-4b8a-9f64-0c7a1d2e3b4f",
    "0123456789abcdef0123456789abcdef",
    "hunter2!hunter2!hunter2!hunter2!",
  ])("may be %s", (key) => {
    expect(refusal(key)).toBeNull();
  });
});
