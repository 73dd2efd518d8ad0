import type { Terminal } from "./terminal.js";

export interface BannerFacts {
  readonly version: string;
  /** `http://127.0.0.1:4747`, without a slash at the end. */
  readonly url: string;
  /** Where it listens when that is beyond this machine, "0.0.0.0:4747"; and by which names it is called there. */
  readonly beyond: { readonly address: string; readonly names: readonly string[] } | null;
  /** "made": given here, for the first and last time. */
  readonly ownerKey: { readonly made: string } | { readonly from: "environment" | "stored" };
  /** "sqlite .sallyport/sallyport.db". */
  readonly storage: string;
  readonly config: string;
  readonly providers: readonly string[];
  readonly servers: readonly string[];
}

/** Where each face is, which key to use, and a call that works as it stands. */
export function printBanner({ out, paint }: Terminal, facts: BannerFacts): void {
  const { url, ownerKey } = facts;
  const line = (name: string, value: string, note = ""): void =>
    out(`  ${name.padEnd(11)}${value}${note === "" ? "" : paint.dim(`  ${note}`)}`);
  out(`${paint.bold("Sallyport")} ${facts.version} listens on ${paint.cyan(url)}`);
  if (facts.beyond !== null) out(paint.yellow(beyondLine(facts.beyond)));
  out();
  line("OpenAI", `${url}/v1`, "the base URL for OpenAI's SDKs");
  line("Anthropic", url, "for Anthropic's");
  line("Google", url, "for Google's");
  line("MCP", `${url}/mcp`, "Streamable HTTP");
  line("REST", `${url}/api/v1`);
  line("Health", `${url}/health`, "open");
  out();
  line("Models", facts.providers.join(", "));
  line("Servers", facts.servers.join(", ") || "none");
  line("Storage", facts.storage);
  line("Config", facts.config);
  if ("made" in ownerKey) line("Owner key", paint.yellow(ownerKey.made), "made now and shown only this once: keep it");
  else if (ownerKey.from === "environment") line("Owner key", "from SALLYPORT_OWNER_KEY");
  else line("Owner key", "the one shown at the first start", "lost? sallyport keys rotate");
  out();
  out(paint.bold("Try it:"));
  const key = "made" in ownerKey ? ownerKey.made : "$SALLYPORT_OWNER_KEY";
  out(`  curl ${url}/v1/chat/completions \\`);
  out(`    -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\`);
  out(`    -d '{"model":"demo/echo","messages":[{"role":"user","content":"Hello, Sallyport"}]}'`);
  out();
  out(paint.dim("Ctrl-C stops it."));
}

function beyondLine({ address, names }: NonNullable<BannerFacts["beyond"]>): string {
  const who = names.length === 0 ? "only by loopback names" : `as ${names.join(", ")}`;
  return `It listens on ${address}, beyond this machine; it answers there ${who}: server.allowedHosts names more.`;
}
