import { effective, GatewayError, type EffectiveValue, type LoadedConfig } from "@sallyport/core";
import { loadPlace, shortPath, type Flags, type Place } from "../place.js";
import { fail, ok, warn, type Finding } from "./finding.js";

export interface ConfigurationReport {
  readonly findings: Finding[];
  /** null: it is not valid, and nothing that depends on it can be checked. */
  readonly loaded: LoadedConfig | null;
  readonly values: readonly EffectiveValue[];
}

/** Whether there is a file, whether all of the configuration is valid, and what holds in the end. */
export function checkConfiguration(place: Place, flags: Flags): ConfigurationReport {
  const name = shortPath(place.configPath, place.cwd);
  const file = ok("config file", place.file === null ? `no ${name}: the environment alone is enough` : name);
  try {
    const loaded = loadPlace(place, flags);
    const values = effective(loaded);
    const given = values.filter((value) => value.source.kind !== "default").length;
    const valid = ok("config", `valid: ${given} given, ${values.length - given} defaults`);
    return { findings: [file, valid, ...advice(loaded)], loaded, values };
  } catch (error) {
    return { findings: [file, ...problemFindings(error)], loaded: null, values: [] };
  }
}

function problemFindings(thrown: unknown): Finding[] {
  const error = GatewayError.from(thrown);
  const problems = (error.details?.["problems"] ?? []) as readonly { path: string; what: string; fix: string; source: string }[];
  if (problems.length === 0) return [fail("config", error.message.replace(/\.$/, ""), error.hint ?? "Correct the file.")];
  return problems.map(({ path, what, fix, source }) => fail("config", `${path} (${source}): ${what}`, fix));
}

/** What is valid and may still not be meant. */
function advice({ config }: LoadedConfig): Finding[] {
  const findings: Finding[] = [];
  const { host, allowedHosts, allowedOrigins } = config.server;
  if ((host === "0.0.0.0" || host === "::") && allowedHosts.length === 0)
    findings.push(
      warn(
        "network",
        `server.host is ${host}: other machines reach the port, but only loopback names are answered`,
        'List the names it is called by in "server.allowedHosts", or bind 127.0.0.1.',
      ),
    );
  if (allowedOrigins.includes("*"))
    findings.push(
      warn("network", "any web page may call the gateway (server.allowedOrigins has *)", "List the origins of your own pages."),
    );
  if (config.network.allowPrivate)
    findings.push(
      warn(
        "network",
        "private addresses may be dialled whoever names them (network.allowPrivate)",
        "Remove it unless every caller is trusted.",
      ),
    );
  return findings;
}
