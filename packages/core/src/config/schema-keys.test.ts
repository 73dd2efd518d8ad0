import { expect, it } from "vitest";
import { fixedPaths, keysAt } from "./schema-keys.js";
import { configSchema } from "./schema.js";

it("knows the keys of every place of the schema, also below unions and names of the user's", () => {
  expect(keysAt(configSchema, ["providers", "any"])).toEqual([
    "vendor",
    "baseUrl",
    "apiKey",
    "apiKeys",
    "protocols",
    "rawIds",
    "quirks",
    "auth",
    "headers",
    "models",
  ]);
  const ofEveryServer = ["type", "prices", "connectTimeoutMs", "callTimeoutMs", "trustLevel"];
  for (const key of [...ofEveryServer, "command", "args", "env", "cwd", "url", "headers", "spec", "baseUrl"])
    expect(keysAt(configSchema, ["mcpServers", "any"])).toContain(key);
  expect(keysAt(configSchema, ["providers", "any", "models", 0])).toEqual([
    "id",
    "kind",
    "features",
    "contextTokens",
    "maxOutputTokens",
    "aliases",
    "deprecated",
    "retiresAt",
    "successor",
    "prices",
  ]);
  expect(keysAt(configSchema, ["mcpServers", "any", "env"])).toEqual([]);
  expect(fixedPaths(configSchema)).toContainEqual(["server", "timeouts", "idleMs"]);
  expect(fixedPaths(configSchema).filter(([first]) => first === "providers")).toEqual([["providers"]]);
});
