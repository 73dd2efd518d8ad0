import { clock, crypto } from "../src/platform/node.js";
import type { Vault } from "../src/seams/index.js";
import { Redactor } from "../src/secrets/redactor.js";
import { SealedVault } from "../src/secrets/sealed-vault.js";

/** A vault whose key every process of a test has. */
export function ownVault(): Vault {
  const active = { id: "test", bytes: crypto.sha256(new TextEncoder().encode("test")) };
  return new SealedVault({
    crypto,
    redactor: new Redactor(),
    keys: { root: active.bytes, active, data: new Map([[active.id, active.bytes]]) },
  });
}

/** What keeps answers to repetitions needs beside its store. */
export function sealing() {
  return { clock, crypto, seams: { vault: { get: ownVault } } };
}
