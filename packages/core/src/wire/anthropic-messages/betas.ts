/**
 * Beta features that a caller may ask this vendor for with `anthropic-beta`: those that only say how this one call is to be read and answered. Left out are all that reach what the vendor
 * keeps for the organisation of the key, which many callers share, or that dial elsewhere: files, skills, profiles, memory, threads, MCP servers, administration.
 * Source: `AnthropicBeta` of the vendor's SDK 1.11, and its documentation.
 */
export const callBetas = new RegExp(
  `^(?:${[
    "advanced-tool-use",
    "advisor-tool",
    "cache-diagnosis",
    "code-execution",
    "compact",
    "computer-use",
    "context-1m",
    "context-management",
    "dev-full-thinking",
    "effort",
    "extended-cache-ttl",
    "fallback-credit",
    "fast-mode",
    "fine-grained-tool-streaming",
    "inline-tools",
    "interleaved-thinking",
    "mid-conversation-[a-z-]+",
    "model-context-window-exceeded",
    "output-\\d+k",
    "pdfs",
    "prompt-caching(?:-scope)?",
    "search-results",
    "server-side-fallback",
    "structured-outputs",
    "task-budgets",
    "thinking-[a-z-]+",
    "token-counting",
    "token-efficient-tools",
    "tool-search-tool",
    "web-fetch",
    "web-search",
  ].join("|")})-\\d{4}-\\d{2}-\\d{2}$`,
);
