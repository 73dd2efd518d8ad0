import { GatewayError } from "../errors/index.js";
import type { Environment } from "../config/substitute.js";
import type { Clock, SecretSource } from "../ports/index.js";
import { missing } from "./secret-sources.js";

/** How long a value is used before it is asked for again. */
const EVERY_MS = 300_000;
const PACKAGE = "@infisical/sdk";

type Client = InstanceType<typeof import("@infisical/sdk").InfisicalSDK>;
interface Settings {
  readonly siteUrl: string | undefined;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly projectId: string;
  readonly environment: string;
}

/**
 * `infisical:NAME` or `infisical:/folder/NAME`: a secret of the Infisical project that INFISICAL_PROJECT_ID and INFISICAL_ENVIRONMENT (`prod` when left out) name, read as the machine identity of
 * INFISICAL_CLIENT_ID and INFISICAL_CLIENT_SECRET at INFISICAL_SITE_URL, by Infisical's own SDK. Read again every 5 minutes.
 * Errors of a look-up: `missing_dependency` without the package, `misconfigured` for a missing variable or secret.
 */
export function infisicalSource(env: Environment, clock: Clock): SecretSource {
  let client: Promise<Client> | null = null;
  return {
    scheme: "infisical",
    async resolve(reference) {
      const settings = settingsOf(env);
      const { folder, name } = placeOf(reference);
      try {
        client ??= logIn(settings);
        const { projectId, environment } = settings;
        const secret = await (await client)
          .secrets()
          .getSecret({ projectId, environment, secretName: name, secretPath: folder, viewSecretValue: true });
        return { value: secret.secretValue, refreshAtMs: clock.now() + EVERY_MS };
      } catch (error) {
        client = null; // its token may be what was refused
        if (GatewayError.is(error)) throw error;
        throw missing(
          `infisical:${reference}`,
          `see that it is in ${settings.environment}, and that the machine identity may read it`,
          withoutBody(error),
        );
      }
    },
  };
}

async function logIn({ siteUrl, clientId, clientSecret }: Settings): Promise<Client> {
  const { InfisicalSDK } = await load();
  const client = new InfisicalSDK(siteUrl === undefined ? {} : { siteUrl });
  return client.auth().universalAuth.login({ clientId, clientSecret });
}

async function load(): Promise<typeof import("@infisical/sdk")> {
  try {
    return await import("@infisical/sdk");
  } catch (cause) {
    throw new GatewayError("missing_dependency", `Secrets from Infisical need the package ${PACKAGE}.`, {
      hint: `npm install ${PACKAGE}`,
      cause,
    });
  }
}

function settingsOf(env: Environment): Settings {
  const need = (name: string): string => {
    const value = env[name];
    if (value !== undefined && value !== "") return value;
    throw new GatewayError("misconfigured", `Secrets from Infisical need the variable ${name}.`, {
      hint: "Set INFISICAL_CLIENT_ID, INFISICAL_CLIENT_SECRET and INFISICAL_PROJECT_ID.",
    });
  };
  return {
    siteUrl: env["INFISICAL_SITE_URL"] || undefined,
    clientId: need("INFISICAL_CLIENT_ID"),
    clientSecret: need("INFISICAL_CLIENT_SECRET"),
    projectId: need("INFISICAL_PROJECT_ID"),
    environment: env["INFISICAL_ENVIRONMENT"] || "prod",
  };
}

function placeOf(reference: string): { readonly folder: string; readonly name: string } {
  const at = reference.lastIndexOf("/");
  return { folder: at <= 0 ? "/" : reference.slice(0, at), name: reference.slice(at + 1) };
}

/** An SDK's error may carry the answer of the server, and that a secret. */
function withoutBody(error: unknown): Error {
  return new Error(error instanceof Error ? error.name : "unknown failure");
}
