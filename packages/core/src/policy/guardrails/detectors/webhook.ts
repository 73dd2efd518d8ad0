import { detectionTypes, severities, type DetectionType, type GuardrailSettings, type Severity } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Clock, Crypto, HttpClient } from "../../../ports/index.js";
import { newId } from "../../../util/ids.js";
import { isObject, parseJson, utf8 } from "../../../util/json.js";
import type { Judge, JudgeContext, JudgedText, Judgement } from "../judge.js";

const MAX_ANSWER = 1_048_576;
/** What is sent at once. */
const MAX_CHARS = 1_000_000;

export interface WebhookOptions {
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly crypto: Crypto;
  /** An address of the configuration may be private, one of a record may not. */
  readonly trust: "operator" | "untrusted";
  /** Signs the requests. */
  readonly key: () => Uint8Array;
}

/**
 * Somebody else's judgement over HTTP: `POST {texts: […]}` is answered with `{findings: [{text, type, severity, pattern, replacement}]}`; no findings, and the texts pass. Signed as
 * Standard Webhooks say (`webhook-id`, `webhook-timestamp`, `webhook-signature`), so that the receiver knows who asks. No redirect is followed.
 * Source: standardwebhooks.com, specification 1.0.0
 */
export function webhookJudge(settings: GuardrailSettings<"webhook">, o: WebhookOptions): Judge {
  return {
    onError: settings.onError,
    maxChars: MAX_CHARS,
    async judge(texts, context) {
      const deadlineMs = Math.min(context.call.deadlineMs, o.clock.now() + settings.timeoutMs);
      const body = utf8(JSON.stringify(bodyOf(texts, context)));
      const response = await o.http.exchange(
        {
          ...{ method: "POST", url: settings.url, headers: signed(body, o), body, trust: o.trust },
          ...{ idleMs: settings.timeoutMs, endByMs: deadlineMs },
        },
        { deadlineMs, signal: context.call.signal },
      );
      const bytes = await response.bytes(MAX_ANSWER);
      if (response.status < 200 || response.status > 299)
        throw new GatewayError("upstream_unavailable", `The webhook answered ${response.status}.`, {
          details: { status: response.status },
        });
      return findings(parseJson(bytes), texts.length);
    },
  };
}

function bodyOf(texts: readonly JudgedText[], { guardrail, stage, call }: JudgeContext) {
  const { head, caller } = call;
  return {
    ...{ guardrail, stage, request_id: call.requestId, call_id: call.id, caller: { id: caller.id, project: caller.projects[0] } },
    ...(head.kind === "model" ? { model: head.name } : { server: head.server, tool: head.tool }),
    texts: texts.map(({ text }) => text),
  };
}

function signed(body: Uint8Array, { clock, crypto, key }: WebhookOptions): [string, string][] {
  const id = newId("msg");
  const seconds = String(Math.floor(clock.now() / 1000));
  const head = utf8(`${id}.${seconds}.`);
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  const signature = btoa(String.fromCharCode(...crypto.hmac(key(), content)));
  return [
    ["content-type", "application/json"],
    ["webhook-id", id],
    ["webhook-timestamp", seconds],
    ["webhook-signature", `v1,${signature}`],
  ];
}

function findings(answer: unknown, texts: number): Judgement[] {
  const list = isObject(answer) ? (answer["findings"] ?? []) : null;
  if (!Array.isArray(list)) throw new GatewayError("upstream_protocol", 'The webhook\'s answer has no list "findings".');
  return list.map((item: unknown): Judgement => {
    const given = isObject(item) ? item : {};
    const { text: index = 0, pattern, replacement } = given;
    if (typeof index !== "number" || !Number.isInteger(index) || index < 0 || index >= texts)
      throw new GatewayError("upstream_protocol", "A finding of the webhook names a text that it was not sent.");
    return {
      index,
      type: oneOf<DetectionType>(detectionTypes, given["type"], "custom"),
      severity: oneOf<Severity | undefined>(severities, given["severity"], undefined),
      pattern: typeof pattern === "string" ? pattern.slice(0, 200) : "webhook",
      confidence: 1,
      replacement: typeof replacement === "string" ? replacement : undefined,
    };
  });
}

function oneOf<T>(known: readonly T[], given: unknown, otherwise: T): T {
  return known.find((each) => each === given) ?? otherwise;
}
