import { GatewayError } from "../errors/index.js";
import { isLoopback } from "../util/loopback-name.js";

export interface HostGuardOptions {
  /** The address that the operator bound; one that is no wildcard is a name of this gateway too. */
  readonly host: string;
  readonly allowedHosts: readonly string[];
  readonly allowedOrigins: readonly string[];
}
const hostForm = /^(\[[0-9a-f:.]+\]|[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)(?::(\d{1,5}))?$/;
const originForm = /^(https?):\/\/(.+)$/;
const wildcards = new Set(["0.0.0.0", "::", "[::]", "*", ""]);

/**
 * Keeps web pages from using the gateway behind their visitor's back. A page that had its own name resolved to this machine (DNS rebinding) still sends that name as Host: only
 * loopback names, the bound address and `allowedHosts` are answered. A page of another site sends its Origin, or `Sec-Fetch-Site`: only the gateway's own pages, pages of
 * this machine when the gateway is called by a loopback name, and `allowedOrigins` may call. What sends neither is no browser.
 * `allowedHosts`: `name` (any port), `name:port`, `*.name` (every name below it), `*`. `allowedOrigins`: an exact origin, or `*`.
 */
export class HostGuard {
  readonly #hosts: ReadonlySet<string>;
  readonly #suffixes: readonly string[];
  readonly #origins: ReadonlySet<string>;
  /** Nearly every request names the same host: the last that was allowed is not looked at again. */
  #lastAllowed: string | undefined;

  constructor(options: HostGuardOptions) {
    const names = options.allowedHosts.map((name) => name.toLowerCase());
    if (!wildcards.has(options.host)) names.push(options.host.includes(":") ? `[${options.host}]` : options.host.toLowerCase());
    this.#hosts = new Set(names);
    this.#suffixes = names.filter((name) => name.startsWith("*.")).map((name) => name.slice(1));
    this.#origins = new Set(options.allowedOrigins.map((origin) => origin.toLowerCase().replace(/\/$/, "")));
  }

  /**
   * The origin that may read the answer; null: it is no page's, or of the same origin. `site` is `Sec-Fetch-Site`, which browsers send and pages cannot set.
   * Errors: `host_refused`, `origin_refused`.
   */
  check(host: string | undefined, origin: string | undefined, site: string | undefined): string | null {
    if (host === undefined || host !== this.#lastAllowed) this.#checkHost(host);
    if (origin !== undefined) return this.#checkOrigin(origin, host ?? "");
    const foreign = site !== undefined && site !== "none" && site !== "same-origin";
    if (foreign && !this.#origins.has("*")) throw refusedOrigin("The request comes from a page of another site, which does not say which.");
    return null;
  }

  #checkHost(header: string | undefined): void {
    const host = header?.toLowerCase() ?? "";
    const [, name] = hostForm.exec(host) ?? [];
    const known =
      name !== undefined &&
      (isLoopback(name) ||
        this.#hosts.has(name) ||
        this.#hosts.has(host) ||
        this.#hosts.has("*") ||
        this.#suffixes.some((end) => name.endsWith(end)));
    if (!known)
      throw new GatewayError("host_refused", "The gateway does not answer to the name in the Host header.", {
        hint:
          name === undefined
            ? "Send the gateway's own name as Host."
            : `If "${name}" is a name of this gateway, add it to server.allowedHosts.`,
      });
    this.#lastAllowed = header;
  }

  #checkOrigin(origin: string, host: string): string | null {
    const plain = origin.toLowerCase();
    const [, , authority] = originForm.exec(plain) ?? [];
    // Behind a proxy that ends TLS the schemes differ; the Host was checked, so an equal authority is ours.
    if (authority !== undefined && authority === host.toLowerCase()) return null;
    if (this.#origins.has(plain) || this.#origins.has("*")) return origin;
    if (authority !== undefined && isLoopback(nameOf(authority)) && isLoopback(nameOf(host.toLowerCase()))) return origin;
    throw refusedOrigin("Pages of this origin may not call the gateway.");
  }
}

function refusedOrigin(message: string): GatewayError {
  return new GatewayError("origin_refused", message, { hint: "If its pages may call, add the origin to server.allowedOrigins." });
}

function nameOf(authority: string): string {
  return hostForm.exec(authority)?.[1] ?? "";
}
