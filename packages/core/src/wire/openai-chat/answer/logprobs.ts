import type { TokenLogprob } from "../../../calls/index.js";
import { isObject } from "../../../util/json.js";

/** `logprobs.content` as ours; what is no token is passed over. */
export function decodeLogprobs(list: unknown): readonly TokenLogprob[] {
  return Array.isArray(list) ? (list as unknown[]).flatMap(decodeToken) : [];
}

function decodeToken(value: unknown): TokenLogprob[] {
  if (!isObject(value)) return [];
  const { token, logprob, bytes, top_logprobs: top } = value;
  if (typeof token !== "string" || typeof logprob !== "number") return [];
  const beside = decodeLogprobs(top);
  return [
    {
      token,
      logprob,
      ...(Array.isArray(bytes) ? { bytes: bytes as number[] } : {}),
      ...(beside.length === 0 ? {} : { top: beside }),
    },
  ];
}

export function encodeLogprobs(tokens: readonly TokenLogprob[]): unknown[] {
  return tokens.map(({ top, ...token }) => ({ ...encodeToken(token), top_logprobs: (top ?? []).map(encodeToken) }));
}

function encodeToken({ token, logprob, bytes }: TokenLogprob): Record<string, unknown> {
  return { token, logprob, bytes: bytes ?? null };
}
