import { expect, it } from "vitest";
import { parseMasterSecret } from "./master-secret.js";

const bytes = Uint8Array.from({ length: 32 }, (_, i) => (i * 97 + 251) & 0xff);
const base64 = btoa(String.fromCharCode(...bytes));

it("reads 32 bytes from base64, in both alphabets, padded or not", () => {
  for (const text of [base64, base64.replace("=", ""), ` ${base64}\n`, base64.replaceAll("+", "-").replaceAll("/", "_")])
    expect(parseMasterSecret(text)).toEqual(bytes);
});

it.each([
  ["", "it has 0 bytes"],
  ["c2hvcnQ=", "it has 5 bytes"],
  [btoa("x".repeat(33)), "it has 33 bytes"],
  ["not base64!", "it is not base64"],
  ["abcde", "it is not base64"],
])("refuses %j: %s", (text, why) => {
  expect(() => parseMasterSecret(text)).toThrow(
    expect.objectContaining({
      code: "invalid_config",
      message: expect.stringContaining(why) as string,
      hint: expect.stringContaining("openssl") as string,
    }) as Error,
  );
});
