import type { DialectRoute } from "./route.js";

const anthropic = { face: "dialect", protocol: "anthropic-messages", permission: null } as const;

/** Anthropic's Messages. Source: https://docs.anthropic.com/en/api/messages */
export const anthropicRoutes = {
  messages: {
    ...anthropic,
    name: "anthropic.messages",
    method: "POST",
    path: "/v1/messages",
    summary: "A message, whole or streamed.",
    errors: ["forbidden", "model_not_found", "unsupported_feature"],
  },
  countTokens: {
    ...anthropic,
    name: "anthropic.count-tokens",
    method: "POST",
    path: "/v1/messages/count_tokens",
    summary: "How many tokens a message's input would be.",
    errors: ["forbidden", "model_not_found", "unsupported_feature"],
  },
} as const satisfies Record<string, DialectRoute>;
