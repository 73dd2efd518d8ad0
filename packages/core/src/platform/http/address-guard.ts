/** Why an address is not dialled for somebody who is not the operator; null: it is public. */
export type Refusal = string | null;

type Block = readonly [network: string, prefixBits: number, why: string];

/**
 * What of IPv4 is not public unicast. Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890 and successors), multicast and class E; and the address that
 * Azure serves its machines' metadata from, which no registry marks.
 */
const IPV4: readonly Block[] = [
  ["0.0.0.0", 8, "this network"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "shared by a carrier"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local, cloud metadata"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "protocol assignments"],
  ["192.0.2.0", 24, "documentation"],
  ["192.88.99.0", 24, "6to4 relay"],
  ["192.168.0.0", 16, "private"],
  ["198.18.0.0", 15, "benchmarking"],
  ["198.51.100.0", 24, "documentation"],
  ["203.0.113.0", 24, "documentation"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved, broadcast"],
  ["168.63.129.16", 32, "cloud metadata"],
];

/** What of 2000::/3, the only part of IPv6 that is public unicast, is not. Source: IANA IPv6 Special-Purpose Address Registry. */
const IPV6: readonly Block[] = [
  ["2001::", 23, "protocol assignments, Teredo"],
  ["2001:db8::", 32, "documentation"],
  ["2002::", 16, "6to4"],
  ["3fff::", 20, "documentation"],
];

interface Range {
  readonly first: bigint;
  readonly shift: bigint;
  readonly why: string;
}
const ipv4Ranges = IPV4.map((block) => range(block, 32));
const ipv6Ranges = IPV6.map((block) => range(block, 128));

/**
 * Whether an address, as a resolver or a URL gives it, is public unicast; otherwise why not. IPv4 within IPv6 (mapped, NAT64) is judged as the IPv4 address
 * that would be reached. What is not an address at all is refused.
 */
export function refusalOf(address: string): Refusal {
  const v4 = parseIpv4(address);
  if (v4 !== null) return inRanges(ipv4Ranges, v4);
  const v6 = parseIpv6(address);
  return v6 === null ? "not an address" : refusalOfIpv6(v6);
}

function refusalOfIpv6(value: bigint): Refusal {
  const high = value >> 32n;
  const low = value & 0xffff_ffffn;
  if (high === 0xffffn || high === 0x64_ff9b_0000_0000_0000_0000n) return inRanges(ipv4Ranges, low);
  if (value >> 125n !== 1n) return value === 1n ? "loopback" : "not public unicast";
  return inRanges(ipv6Ranges, value);
}

function inRanges(ranges: readonly Range[], value: bigint): Refusal {
  for (const { first, shift, why } of ranges) if (value >> shift === first) return why;
  return null;
}

function range([network, prefixBits, why]: Block, bits: 32 | 128): Range {
  const value = bits === 32 ? parseIpv4(network) : parseIpv6(network);
  if (value === null) throw new Error(`The address table has a wrong entry: ${network}`);
  const shift = BigInt(bits - prefixBits);
  return { first: value >> shift, shift, why };
}

/** Four decimal numbers without leading zeros; nothing else that some resolvers take for an address. */
function parseIpv4(text: string): bigint | null {
  const parts = text.split(".");
  if (parts.length !== 4) return null;
  let value = 0n;
  for (const part of parts) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return null;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

/** RFC 4291 text, with or without brackets, a zone and a trailing dotted IPv4. */
function parseIpv6(text: string): bigint | null {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(bare);
  if (dotted !== null) {
    const v4 = parseIpv4(dotted[2]!);
    return v4 === null ? null : parseIpv6(`${dotted[1]!}${(v4 >> 16n).toString(16)}:${(v4 & 0xffffn).toString(16)}`);
  }
  const halves = bare.split("::");
  if (halves.length > 2) return null;
  const head = halves[0] === "" ? [] : halves[0]!.split(":");
  const tail = halves.length === 1 || halves[1] === "" ? [] : halves[1]!.split(":");
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return null;
  let value = 0n;
  for (const group of [...head, ...Array<string>(missing).fill("0"), ...tail]) {
    if (!/^[0-9a-f]{1,4}$/i.test(group)) return null;
    value = (value << 16n) | BigInt(`0x${group}`);
  }
  return value;
}
