import type { Config } from "../../config/schema.js";
import type { AlertChannelRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import type { ResourceActions } from "../../seams/index.js";

/** A channel that could never tell anybody anything is refused. Errors: `validation_failed` naming what it lacks. */
export function channelActions(config: Config["telemetry"]["alerts"]): ResourceActions {
  return {
    check: (row, _o, before) => {
      const { kind, settings, secret } = row as unknown as Pick<AlertChannelRow, "kind" | "settings" | "secret">;
      if (kind === "webhook" && settings.url === undefined) throw lacks("settings.url", "Give the address that is posted to.");
      if (kind === "slack" && secret === null) throw lacks("secret", "Give the address of the incoming webhook.");
      if (kind === "pagerduty" && secret === null) throw lacks("secret", "Give the routing key.");
      // The routing key is sent there, and was given for where it went before.
      const was = before as Pick<AlertChannelRow, "settings" | "secret"> | null;
      if (kind === "pagerduty" && was !== null && was.settings.url !== settings.url && was.secret === secret)
        throw lacks("secret", "Give the routing key again: it would go to another address.");
      if (kind === "email" && settings.to === undefined) throw lacks("settings.to", "Give the addresses.");
      if (kind === "email" && config.smtp === undefined)
        throw new GatewayError("validation_failed", "kind: this gateway has no mail server", { hint: "Set telemetry.alerts.smtp." });
    },
  };
}

function lacks(path: string, hint: string): GatewayError {
  return new GatewayError("validation_failed", `${path}: is required for a channel of this kind`, { hint });
}
