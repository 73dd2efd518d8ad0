import { memoryStore } from "@sallyport/core/memory";
import { describe, test } from "vitest";
import { recordStoreContract } from "./contract.js";

describe("the record store in memory", () => {
  recordStoreContract({ test, make: () => ({ subject: { store: memoryStore() } }) });
});
