import type { Config } from "../../../config/schema.js";
import type { AlertChannelRow } from "../../../entities/index.js";
import { GatewayError } from "../../../errors/index.js";
import { oneLine, titleOf, type AlertMessage } from "../alert-message.js";

type Smtp = NonNullable<Config["telemetry"]["alerts"]["smtp"]>;
type Nodemailer = typeof import("nodemailer");

const TIMEOUT_MS = 10_000;

/**
 * One message to all addresses of the channel, by nodemailer and the configured server.
 * Errors: `missing_dependency` with the install command, `misconfigured` without a server or an address, `upstream_unavailable` when the server cannot be reached or refuses.
 */
export async function sendEmail(
  message: AlertMessage,
  o: { readonly channel: AlertChannelRow; readonly smtp: Smtp | undefined },
): Promise<void> {
  const { channel, smtp } = o;
  if (smtp === undefined) throw new GatewayError("misconfigured", "No mail server is configured.", { hint: "Set telemetry.alerts.smtp." });
  const to = channel.settings.to;
  if (to === undefined)
    throw new GatewayError("misconfigured", `The alert channel "${channel.name}" has no settings.to.`, { hint: "Update the channel." });
  const { createTransport } = await loaded();
  const transport = createTransport({
    ...{ host: smtp.host, port: smtp.port, secure: smtp.secure },
    ...(smtp.user === undefined ? {} : { auth: { user: smtp.user, pass: smtp.password?.reveal() ?? "" } }),
    ...{ connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
    ...{ disableFileAccess: true, disableUrlAccess: true },
  });
  try {
    await transport.sendMail({ from: smtp.from, to: [...to], subject: titleOf(message), text: textOf(message) });
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    throw new GatewayError(
      "upstream_unavailable",
      `The mail server did not take the message (${typeof code === "string" ? code : "no code"}).`,
      {
        cause: error,
      },
    );
  } finally {
    transport.close();
  }
}

async function loaded(): Promise<Pick<Nodemailer, "createTransport">> {
  try {
    return await import("nodemailer");
  } catch (error) {
    throw new GatewayError("missing_dependency", "Alerts by e-mail need the package nodemailer, which could not be loaded.", {
      hint: "npm install nodemailer",
      cause: error,
    });
  }
}

function textOf(message: AlertMessage): string {
  return [
    message.text,
    "",
    `Rule: ${oneLine(message.rule)}`,
    `Metric: ${message.metric} is ${message.value}, the threshold is ${message.threshold}`,
    `Severity: ${message.severity}`,
    `Since: ${new Date(message.startedAtMs).toISOString()}`,
    ...(message.resolvedAtMs === null ? [] : [`Resolved: ${new Date(message.resolvedAtMs).toISOString()}`]),
    `Alert: ${message.alertId}`,
  ].join("\n");
}
