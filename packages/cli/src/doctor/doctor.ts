import { effective, type LoadedConfig } from "@sallyport/core";
import type { Command } from "../command.js";
import { findPlace, type Place } from "../place.js";
import { checkConfiguration } from "./configuration.js";
import { checkData } from "./data.js";
import { checkDatabase } from "./database.js";
import { failed, type Finding } from "./finding.js";
import { checkOwnerKey } from "./owner.js";
import { checkPort } from "./port.js";
import { printReport } from "./print-report.js";
import { checkProviders } from "./providers.js";
import { checkRuntime } from "./runtime.js";
import { checkServers } from "./servers.js";
import { checkStored } from "./stored.js";
import { checkStreaming } from "./streaming.js";

/** Looks at everything a start would use, changes nothing, and says what it found and from where. Exit code 1 when something would fail. */
export async function doctor(command: Command, o: { readonly json: boolean }): Promise<number> {
  const findings: Finding[] = [...checkRuntime()];
  const place = await attempt(findings, "config file", () => findPlace(command));
  const report = place === null ? null : checkConfiguration(place, command.flags);
  let values = report?.values ?? [];
  findings.push(...(report?.findings ?? []));
  if (place !== null) findings.push(...checkData(place));
  if (place !== null && report !== null && report.loaded !== null) {
    findings.push(checkOwnerKey(place, report.loaded));
    findings.push(...checkProviders(report.loaded, report.values));
    await checkLive(findings, place, report.loaded);
    const stored = await checkStored(place, report.loaded);
    findings.push(...stored.findings);
    values = effective(stored.loaded);
  }
  const failing = findings.some((finding) => finding.status === "fail");
  if (o.json) command.terminal.out(JSON.stringify({ ok: !failing, findings, config: values }, null, 2));
  else printReport(command.terminal, findings, values);
  return failing ? 1 : 0;
}

/** What has to be tried: each by itself, so that one that fails hides no other. */
async function checkLive(findings: Finding[], place: Place, loaded: LoadedConfig): Promise<void> {
  const checks: readonly (readonly [string, () => Promise<Finding[]>])[] = [
    ["database", () => checkDatabase(place, loaded)],
    ["mcp servers", () => checkServers(loaded)],
    ["port", () => checkPort(loaded)],
    ["streaming", () => checkStreaming()],
  ];
  for (const [area, check] of checks) findings.push(...((await attempt(findings, area, check)) ?? []));
}

async function attempt<T>(findings: Finding[], area: string, check: () => T | Promise<T>): Promise<T | null> {
  try {
    return await check();
  } catch (error) {
    findings.push(failed(area, error));
    return null;
  }
}
