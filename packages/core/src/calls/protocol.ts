/** The wire protocols that models are spoken to in; each is one folder of `wire/`, read both ways. */
export type ProtocolId = "openai-chat" | "openai-responses" | "anthropic-messages" | "google-genai";

/** Fields of one protocol that have no neutral meaning: kept as they came, given back only to the same protocol. */
export type Extras = Readonly<Partial<Record<ProtocolId, Readonly<Record<string, unknown>>>>>;
