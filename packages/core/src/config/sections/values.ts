import { z } from "zod";
import { nameSchema } from "../../entities/index.js";
import { Secret } from "../../util/secret.js";

/** What a person names in the configuration. */
export const name = nameSchema;
export const url = z.url({ protocol: /^https?$/, error: "an http(s) URL such as https://api.example.com/v1" });
/** A secret's value may be where it stands instead: read at the start, and again when it may have changed. */
const STANDS_ELSEWHERE = /^(?:env|file|infisical|secret):./;
/** Becomes opaque as soon as it is read: a configuration can be printed. */
export const secret = z
  .union([z.instanceof(Secret), z.string().min(1)])
  .transform((value) => (typeof value !== "string" ? value : STANDS_ELSEWHERE.test(value) ? Secret.at(value) : new Secret(value)));
export const durationMs = z.int().min(1).max(86_400_000);
/** Dollars per million units; a decimal number or decimal string, taken exactly. What is left out is unknown, never zero. */
export const price = z.union([z.number().nonnegative(), z.string().regex(/^\d+(\.\d{1,12})?$/)]);
