import type { AlertChannelRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import type { Headers } from "../../../calls/index.js";
import { titleOf, type AlertMessage } from "../alert-message.js";

/** What is posted, and where. */
export interface ChannelRequest {
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}
export interface ChannelContext {
  readonly channel: AlertChannelRow;
  /** null: none was given. */
  readonly secret: string | null;
  readonly nowMs: number;
  /** HMAC-SHA-256, in hex. */
  readonly sign: (key: string, text: string) => string;
}

const json: readonly (readonly [string, string])[] = [["content-type", "application/json"]];
/** Source: PagerDuty, Events API v2. */
const PAGERDUTY_URL = "https://events.pagerduty.com/v2/enqueue";

/** What a channel that is reached over HTTP is sent. Errors: `misconfigured` when it lacks an address or a secret. */
export function channelRequest(message: AlertMessage, o: ChannelContext): ChannelRequest {
  switch (o.channel.kind) {
    case "webhook":
      return webhook(message, o);
    case "slack":
      return slack(message, o);
    case "pagerduty":
      return pagerDuty(message, o);
    case "email":
      throw new GatewayError("internal", "E-mail is not sent over HTTP.");
  }
}

/**
 * `x-sallyport-signature: t=<Unix s>,v1=<hex>`: HMAC-SHA-256 by the channel's secret over `<t>.<body>`. Whoever checks it refuses old times, so that a post cannot be repeated by others.
 */
function webhook(message: AlertMessage, { channel, secret, nowMs, sign }: ChannelContext): ChannelRequest {
  const url = channel.settings.url;
  if (url === undefined) throw lacks(channel, "settings.url");
  const body = JSON.stringify({ type: `alert.${message.event}`, alert: viewOf(message) });
  const t = Math.floor(nowMs / 1_000);
  const signature: Headers = secret === null ? [] : [["x-sallyport-signature", `t=${t},v1=${sign(secret, `${t}.${body}`)}`]];
  return { url, headers: [...json, ["x-sallyport-delivery", message.deliveryId], ...signature], body };
}

/** Source: Slack, incoming webhooks; `channel` and `username` count for those of older apps. */
function slack(message: AlertMessage, { channel, secret }: ChannelContext): ChannelRequest {
  if (secret === null) throw lacks(channel, "secret, the webhook's address");
  const { settings } = channel;
  const body = {
    text: slackText(`${titleOf(message)}\n${message.text}`),
    ...(settings.channel === undefined ? {} : { channel: settings.channel }),
    ...(settings.username === undefined ? {} : { username: settings.username }),
  };
  return { url: secret, headers: json, body: JSON.stringify(body) };
}

/** Its three characters that mean something: without this a name could call everybody in. */
function slackText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function pagerDuty(message: AlertMessage, { channel, secret }: ChannelContext): ChannelRequest {
  if (secret === null) throw lacks(channel, "secret, the routing key");
  const body = {
    routing_key: secret,
    event_action: message.event === "resolved" ? "resolve" : "trigger",
    dedup_key: message.alertId,
    payload: {
      summary: `${titleOf(message)}: ${message.text}`.slice(0, 1_024),
      source: "sallyport",
      severity: message.severity,
      timestamp: new Date(message.startedAtMs).toISOString(),
      custom_details: viewOf(message),
    },
  };
  return { url: channel.settings.url ?? PAGERDUTY_URL, headers: json, body: JSON.stringify(body) };
}

function viewOf(message: AlertMessage): Readonly<Record<string, unknown>> {
  return {
    id: message.alertId,
    rule_id: message.ruleId,
    rule: message.rule,
    metric: message.metric,
    severity: message.severity,
    value: message.value,
    threshold: message.threshold,
    message: message.text,
    started_at_ms: message.startedAtMs,
    resolved_at_ms: message.resolvedAtMs,
  };
}

function lacks(channel: AlertChannelRow, what: string): GatewayError {
  return new GatewayError("misconfigured", `The alert channel "${channel.name}" has no ${what}.`, { hint: "Update the channel." });
}
