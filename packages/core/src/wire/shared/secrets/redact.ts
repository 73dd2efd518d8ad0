/**
 * What looks like a credential: OpenAI's prefix; the prefixes of other vendors, which need a digit or a star behind them so that no word is taken for one; the
 * schemes of an Authorization header, before what is no word; JSON web tokens; and `api_key=…`-like pairs.
 */
const credentials = [
  /\bsk-[A-Za-z0-9*_\-.]{4,}/g,
  /\b(?:pk|rk|xai|gsk|hf|tok|ghp|gho|csk|nvapi|r8|fw|pplx|key)[-_](?=[A-Za-z_\-.]*[\d*])[A-Za-z0-9*_\-.]{6,}/g,
  /\b(?:AIza[\w-]{10,}|ya29\.[\w-]{6,}|A[KS]IA[A-Z0-9]{12,})/g,
  /\b(?:[Bb]earer|BEARER|[Bb]asic|BASIC)\s+(?=[^\s"',;]*(?:\d|[a-z][A-Z])|[^\s"',;]{24})[^\s"',;]+/g,
  /\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g,
  /\b(?:x-)?(?:api|access|auth|secret|client)[-_ ]?(?:key|token|secret)["']?\s*[=:]\s*["']?[^\s"',;}]+/gi,
];

/** The text without what looks like a credential, and not longer than `maxChars`: a vendor's message may quote the key that it was given. */
export function redact(text: string, maxChars = 2000): string {
  const cut = text.length > maxChars ? `${text.slice(0, maxChars)}…` : text;
  return credentials.reduce((so, pattern) => so.replace(pattern, "***"), cut);
}
