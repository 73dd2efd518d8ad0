/**
 * A hash of 53 bits that is the same in every process and version, for spreading and for affinity; whoever chooses the text can choose the hash, so it
 * guards nothing. The algorithm is cyrb53 (public domain).
 */
export function stableHash(text: string, seed = 0): number {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 2654435761);
    b = Math.imul(b ^ unit, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return 4294967296 * (2097151 & b) + (a >>> 0);
}

/** A place between 0 and 1, both exclusive, that the key has at the named node: even over keys, and independent from node to node. */
export function placeAt(key: number, node: string): number {
  return (stableHash(`${key}:${node}`) + 0.5) / 2 ** 53;
}

/**
 * The nodes in the order in which this key prefers them (weighted rendezvous hashing): over many keys each node comes first as often as its weight says, and
 * when one goes, only the keys that preferred it move.
 */
export function rendezvous<T>(key: number, nodes: readonly T[], of: (node: T) => { readonly name: string; readonly weight: number }): T[] {
  const scored = nodes.map((node) => {
    const { name, weight } = of(node);
    return { node, score: -Math.log(placeAt(key, name)) / weight };
  });
  return scored.sort((a, b) => a.score - b.score).map(({ node }) => node);
}
