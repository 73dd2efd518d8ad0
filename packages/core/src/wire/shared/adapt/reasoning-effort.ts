/**
 * The words for how much to think, weakest first, and what each is worth in tokens where a target counts them. OpenAI's words; the numbers up to `high` are those
 * of Google's own mapping of them (https://ai.google.dev/gemini-api/docs/openai, "thinking"), beyond it the limits that models of the larger kind take.
 */
const budgets = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 65_536,
} as const;

const words = Object.keys(budgets);

/** Tokens for a word; undefined for a word that is a vendor's own. */
export function budgetOfEffort(effort: string): number | undefined {
  const word = asWord(effort);
  return Object.hasOwn(budgets, word) ? budgets[word as keyof typeof budgets] : undefined;
}

/** The strongest word that is worth no more than the tokens: a budget is a limit. */
export function effortOfBudget(tokens: number): string {
  let effort = tokens <= 0 ? "none" : "minimal";
  for (const [word, budget] of Object.entries(budgets)) if (budget > 0 && budget <= tokens) effort = word;
  return effort;
}

/**
 * A word in those that a target knows (`known`, weakest first): itself, else the nearest weaker one, else the weakest there is. Null when nobody knows the word.
 */
export function nearestEffort(effort: string, known: readonly string[]): string | null {
  const word = asWord(effort);
  if (known.includes(word)) return word;
  if (known.includes(effort)) return effort;
  const rank = words.indexOf(word);
  if (rank < 0) return null;
  return known.findLast((other) => words.includes(other) && words.indexOf(other) < rank) ?? known[0] ?? null;
}

/** Some clients switch thinking off by this word. */
function asWord(effort: string): string {
  return effort === "disabled" ? "none" : effort;
}
