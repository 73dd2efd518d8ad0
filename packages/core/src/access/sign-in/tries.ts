import { GatewayError } from "../../errors/index.js";
import type { Clock, Counters, Crypto, Demand } from "../../ports/index.js";

export interface TriesServices {
  readonly clock: Clock;
  readonly crypto: Crypto;
  readonly counters: Counters;
}

const WITHIN_MS = 10_000;
const MINUTE_MS = 60_000;
/** Failed tries; a sign-in that succeeds gives its try back. */
const tries = {
  address: { limit: 30, windowMs: 5 * MINUTE_MS },
  account: { limit: 10, windowMs: 15 * MINUTE_MS },
  /** Sign-ins elsewhere that were begun, whether or not anybody came back: an office behind one address may begin many. */
  begun: { limit: 100, windowMs: 5 * MINUTE_MS },
} as const;
const encoder = new TextEncoder();

/** How often somebody without a credential may try (T40), by where it comes from and by the account that it tries. */
export class SignInTries {
  readonly #services: TriesServices;

  constructor(services: TriesServices) {
    this.#services = services;
  }

  /** One try of a password; what is resolved to gives it back, for who turned out to be right. One account is one however its name is written. Errors: `rate_limited`. */
  password(account: string, address: string | null): Promise<() => Promise<void>> {
    const name = this.#services.crypto.sha256(encoder.encode(normalName(account).slice(0, 1_000)));
    const digest = [...name].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    return this.#spend([
      { key: `login:address:${networkOf(address)}`, cost: 1, ...tries.address },
      { key: `login:account:${digest}`, cost: 1, ...tries.account },
    ]);
  }

  /** One sign-in elsewhere, begun. Errors: `rate_limited`. */
  async begun(address: string | null): Promise<void> {
    await this.#spend([{ key: `login:begun:${networkOf(address)}`, cost: 1, ...tries.begun }]);
  }

  async #spend(demands: readonly Demand[]): Promise<() => Promise<void>> {
    const { counters, clock } = this.#services;
    const spent = await counters.spend(demands, { deadlineMs: clock.now() + WITHIN_MS });
    if (!spent.ok)
      throw new GatewayError("rate_limited", "Too many tries to sign in.", {
        retryAfterMs: Math.max(1_000, (spent.retryAtMs ?? clock.now() + MINUTE_MS) - clock.now()),
      });
    return async () => {
      const { at } = spent;
      const within = { deadlineMs: clock.now() + WITHIN_MS };
      await Promise.all(demands.map(({ key, cost }) => counters.adjust({ key, delta: -cost, at }, within)));
    };
  }
}

/** A user's name as it is stored and counted. */
export function normalName(username: string): string {
  return username.toLowerCase();
}

/**
 * What tries are counted by: an IPv4 address, the /64 of an IPv6 one, which is what one host is given and may change its address within at will (RFC 4862, RFC 6177). IPv4 written as IPv6 is that
 * IPv4; a port and a zone do not count. Whatever is no address stands for itself.
 */
export function networkOf(address: string | null): string {
  if (address === null) return "unknown";
  const bare = address.replace(/^\[([^\]]*)\](?::\d+)?$/, "$1").replace(/%.*$/, "");
  const v4 = /^(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(bare);
  if (v4 !== null) return v4[1]!;
  const groups = groupsOf(bare);
  if (groups === null) return bare.slice(0, 100);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff)
    return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join(".");
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(":")}::/64`;
}

/** The eight numbers of an IPv6 address; null: it is none. */
function groupsOf(text: string): number[] | null {
  if (!text.includes(":") || !URL.canParse(`http://[${text}]/`)) return null;
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const numbers = (part: string): number[] => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const first = numbers(head);
  if (tail === undefined) return first;
  const last = numbers(tail);
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}
