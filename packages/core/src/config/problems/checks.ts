import { nearest } from "../../util/nearest.js";
import type { ConfigPath } from "../config-path.js";
import type { Problem } from "./problems.js";
import { USUAL_IDLE_MS } from "../sections/access.js";
import { vendors, vendorsWithoutAddress, type Config, type Vendor } from "../schema.js";

/** Names before the first "/" of a model that have a meaning of their own. */
const reservedProviders: Readonly<Record<string, string>> = {
  demo: "the offline demo provider, which is always there",
  route: "the prefix of routes: route/<name>",
  agent: "the prefix of agents: agent/<name>",
};

export function isVendor(name: string): name is Vendor {
  return (vendors as readonly string[]).includes(name);
}

/** What a schema cannot see: values that have to fit each other. */
export function crossChecks(config: Config): Problem[] {
  return [
    ...providerProblems(config),
    ...addressProblems(config),
    ...routeProblems(config),
    ...namespaceProblems(config),
    ...manualNameProblems(config),
    ...originProblems(config),
    ...hostProblems(config),
    ...signInProblems(config),
  ];
}

/** What nobody chose gives way to a shorter life. */
function signInProblems({ access }: Config): Problem[] {
  const { idleMs, maxMs } = access.sessions;
  if (idleMs <= maxMs || idleMs === USUAL_IDLE_MS) return [];
  return [
    {
      path: ["access", "sessions", "idleMs"],
      what: `is ${idleMs}, and no session lives longer than access.sessions.maxMs, ${maxMs}`,
      fix: "make it shorter, or access.sessions.maxMs longer",
    },
  ];
}

function providerProblems(config: Config): Problem[] {
  const problems: Problem[] = [];
  for (const [name, provider] of Object.entries(config.providers)) {
    const path: ConfigPath = ["providers", name];
    const reserved = Object.hasOwn(reservedProviders, name) ? reservedProviders[name] : undefined;
    if (reserved !== undefined) {
      problems.push({ path, what: `the name "${name}" is taken by ${reserved}`, fix: "choose another name for the provider" });
      continue;
    }
    if (provider.vendor === undefined && !isVendor(name)) {
      const meant = nearest(name, vendors);
      const fix = meant === null ? `add "vendor": one of ${vendors.join(", ")}` : `add "vendor": "${meant}", or name the provider so`;
      problems.push({ path: [...path, "vendor"], what: `is missing, and "${name}" is no vendor's name`, fix });
    }
    const vendor = provider.vendor ?? name;
    if (vendorsWithoutAddress.some((id) => id === vendor) && provider.baseUrl === undefined)
      problems.push({
        path: [...path, "baseUrl"],
        what: `is missing; a provider of the vendor ${vendor} has no address of its own`,
        fix: 'add "baseUrl", such as "http://127.0.0.1:11434/v1"',
      });
    if (provider.apiKey !== undefined && provider.apiKeys !== undefined)
      problems.push({
        path: [...path, "apiKeys"],
        what: "stands beside apiKey",
        fix: "keep one of them: apiKeys for several, apiKey for one",
      });
  }
  return problems;
}

/** An address is shown in logs and errors, and the HTTP client refuses one with a credential in it. */
function addressProblems(config: Config): Problem[] {
  const providers = Object.entries(config.providers).map(([name, { baseUrl }]) => ({
    path: ["providers", name, "baseUrl"],
    url: baseUrl,
    instead: 'in "apiKey"',
  }));
  const servers = Object.entries(config.mcpServers ?? {}).map(([name, server]) => ({
    path: ["mcpServers", name, "url"],
    url: "url" in server ? server.url : undefined,
    instead: 'in "headers", such as "authorization"',
  }));
  return [...providers, ...servers].flatMap(({ path, url, instead }) => {
    if (url === undefined || !hasCredential(url)) return [];
    return [
      { path, what: "has a user name or password in it", fix: `take out what stands before the "@", and give the credential ${instead}` },
    ];
  });
}

function hasCredential(text: string): boolean {
  const { username, password } = new URL(text);
  return username !== "" || password !== "";
}

/** A model without "/" is a model's own name, which the first call looks up; so is one that a provider lists. */
function routeProblems(config: Config): Problem[] {
  const providers = ["demo", ...Object.keys(config.providers)];
  const listed = new Set(
    Object.values(config.providers).flatMap(({ models = [] }) => models.map((model) => (typeof model === "string" ? model : model.id))),
  );
  return Object.entries(config.routes).flatMap(([name, route]) =>
    modelsOf(route).flatMap(({ model, at }) => {
      const slash = model.indexOf("/");
      const first = model.slice(0, Math.max(slash, 0));
      if (slash < 0 || providers.includes(first) || listed.has(model)) return [];
      const path: ConfigPath = ["routes", name, ...at];
      if (first === "route") return [{ path, what: "names a route, and routes lead to models only", fix: "write provider/model" }];
      const meant = nearest(first, providers);
      const fix = meant === null ? `use one of ${providers.join(", ")}, or add the provider` : `did you mean "${meant}"?`;
      return [{ path, what: `"${first}" is no provider of this configuration`, fix }];
    }),
  );
}

/** Every model that a route names, with where it does. */
function modelsOf({ targets, contextOverflow, canary, shadow }: Config["routes"][string]): { model: string; at: ConfigPath }[] {
  const found: { model: string; at: ConfigPath }[] = targets.map(({ model }, index) => ({ model, at: ["targets", index, "model"] }));
  if (contextOverflow !== undefined) found.push({ model: contextOverflow, at: ["contextOverflow"] });
  if (canary !== undefined) found.push({ model: canary.model, at: ["canary", "model"] });
  if (shadow !== undefined) found.push({ model: shadow.model, at: ["shadow", "model"] });
  return found;
}

function namespaceProblems(config: Config): Problem[] {
  const servers = Object.keys(config.mcpServers ?? { demo: {} });
  return Object.entries(config.namespaces).flatMap(([name, namespace]) =>
    namespace.servers.flatMap((server, index) => {
      if (servers.includes(server)) return [];
      const meant = nearest(server, servers);
      const fix = meant === null ? `use one of ${servers.join(", ")}, or add the server to mcpServers` : `did you mean "${meant}"?`;
      return [{ path: ["namespaces", name, "servers", index], what: `"${server}" is no server of mcpServers`, fix }];
    }),
  );
}

/** Names that lead to nothing are a mistake of whoever wrote them. */
function manualNameProblems({ namespaces }: Config): Problem[] {
  return Object.entries(namespaces).flatMap(([namespace, { naming, names, servers }]) => {
    const path = ["namespaces", namespace, "names"];
    if (naming !== "manual")
      return Object.keys(names).length === 0
        ? []
        : [{ path, what: `counts with the naming manual only`, fix: 'set "naming": "manual", or remove it' }];
    if (Object.keys(names).length === 0)
      return [
        { path, what: "is empty, and the naming manual shows nothing else", fix: 'name tools: "names": { "shown": "server__tool" }' },
      ];
    return Object.entries(names).flatMap(([name, tool]) =>
      servers.some((server) => tool.startsWith(`${server}__`))
        ? []
        : [
            {
              path: [...path, name],
              what: `"${tool}" is no tool of its servers`,
              fix: `write server__tool with one of ${servers.join(", ")}`,
            },
          ],
    );
  });
}

function originProblems(config: Config): Problem[] {
  return config.server.allowedOrigins.flatMap((origin, index) => {
    if (origin === "*" || isOrigin(origin)) return [];
    return [
      {
        path: ["server", "allowedOrigins", index],
        what: "is not an origin",
        fix: 'write scheme, host and port without a path, such as "https://app.example.com", or "*" for any',
      },
    ];
  });
}

function isOrigin(text: string): boolean {
  try {
    return new URL(text).origin === text;
  } catch {
    return false;
  }
}

function hostProblems(config: Config): Problem[] {
  return config.server.allowedHosts.flatMap((host, index) => {
    if (/^[a-z0-9.-]+(:\d{1,5})?$/i.test(host) || /^\[[0-9a-f:]+\](:\d{1,5})?$/i.test(host)) return [];
    return [
      {
        path: ["server", "allowedHosts", index],
        what: "is not a host name",
        fix: 'write the host as it stands in the Host header, such as "ai.example.com" or "ai.example.com:8443"',
      },
    ];
  });
}
