import { vendorVariables, type EffectiveValue, type LoadedConfig } from "@sallyport/core";
import { ok, warn, type Finding } from "./finding.js";

/** Which providers there are, with which keys (masked), and from where. */
export function checkProviders({ config }: LoadedConfig, values: readonly EffectiveValue[]): Finding[] {
  const demo = ok("provider demo", "the offline demo models (demo/echo, demo/scripted); no key needed");
  const providers = Object.entries(config.providers).map(([name, provider]): Finding => {
    const area = `provider ${name}`;
    const own = values.filter((value) => value.path.startsWith(`providers.${name}.`));
    const address = own.find((value) => value.path.endsWith(".baseUrl"));
    const what = `${provider.vendor ?? name}${address === undefined ? "" : ` at ${String(address.value)}`}`;
    const keys = own.filter((value) => value.path.endsWith(".apiKey") || /\.apiKeys\[\d+\]\.value$/.test(value.path));
    if (keys.length === 0) return withoutKey(area, what, provider.vendor ?? name);
    const shown = keys.map((key) => String(key.value)).join(", ");
    return ok(
      area,
      `${what}, ${keys.length === 1 ? "key" : `${keys.length} keys`} ${shown} from ${[...new Set(keys.map((key) => key.from))].join(", ")}`,
    );
  });
  return [demo, ...providers];
}

function withoutKey(area: string, what: string, vendor: string): Finding {
  const variable = vendorVariables.find((row) => row.vendor === vendor)?.variable;
  if (variable === undefined) return ok(area, `${what}, without a key`);
  return warn(area, `${what}: no key, so its calls will be refused`, `Set ${variable}, or add "apiKey".`);
}
