import type { Config } from "../../config/schema.js";
import { alertChannel, type AlertChannelRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { HttpClient } from "../../ports/index.js";
import type { Services } from "../../seams/index.js";
import type { AlertMessage } from "./alert-message.js";
import { channelRequest } from "./channels/channel-request.js";
import { sendEmail } from "./channels/send-email.js";
import { toHex } from "../../util/encoding/hex.js";

export interface TellDeps {
  readonly services: Pick<Services, "clock" | "crypto" | "seams">;
  readonly http: HttpClient;
  readonly config: Config["telemetry"]["alerts"];
}

const SEND_MS = 10_000;
const encoder = new TextEncoder();

/**
 * Sends one message by a channel. It is there when this resolves.
 * Errors: `misconfigured`, `missing_dependency`, `address_refused` for a private address unless `telemetry.alerts.allowPrivate`, `upstream_rejected` naming the status, and those of the HTTP client. None
 * names an address: Slack's is a secret.
 */
export async function tellChannel(message: AlertMessage, channel: AlertChannelRow, deps: TellDeps): Promise<void> {
  if (channel.kind === "email") return sendEmail(message, { channel, smtp: deps.config.smtp });
  const { clock, crypto } = deps.services;
  const nowMs = clock.now();
  const sign = (key: string, text: string): string => hex(crypto.hmac(encoder.encode(key), encoder.encode(text)));
  const request = channelRequest(message, { channel, secret: secretOf(channel, deps), nowMs, sign });
  const deadlineMs = nowMs + SEND_MS;
  const response = await deps.http.exchange(
    {
      method: "POST",
      url: request.url,
      headers: [...request.headers, ["user-agent", "sallyport"]],
      body: encoder.encode(request.body),
      trust: deps.config.allowPrivate ? "operator" : "untrusted",
      idleMs: SEND_MS,
      endByMs: deadlineMs,
    },
    { deadlineMs },
  );
  response.discard();
  if (response.status >= 200 && response.status < 300) return;
  throw new GatewayError("upstream_rejected", `The channel answered with status ${response.status}.`);
}

function secretOf(channel: AlertChannelRow, { services }: TellDeps): string | null {
  if (channel.secret === null) return null;
  return services.seams.vault.get().open(channel.secret, { table: alertChannel.table, column: "secret", rowId: channel.id }).reveal();
}

function hex(bytes: Uint8Array): string {
  return toHex(bytes);
}
