/** Longer names are not compared: the cost is the product of both lengths. */
const MAX_LENGTH = 64;

/**
 * The known name that a person most likely meant: the one with the fewest edits (insert, delete, replace, swap of neighbours), if they are at most a third of its
 * length; otherwise null. Case and the difference between `_` and `-` cost nothing. Ties go to the first.
 */
export function nearest(name: string, known: Iterable<string>): string | null {
  const wanted = plain(name);
  if (wanted.length > MAX_LENGTH) return null;
  let best: string | null = null;
  let fewest = Infinity;
  for (const candidate of known) {
    if (candidate.length > MAX_LENGTH) continue;
    const edits = distance(wanted, plain(candidate));
    if (edits < fewest && edits <= Math.max(1, Math.floor(candidate.length / 3))) {
      fewest = edits;
      best = candidate;
    }
  }
  return best;
}

function plain(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .replaceAll("-", "_");
}

/** Optimal string alignment distance, three rows at a time. */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      let least = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + same);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    before = above;
    above = row;
  }
  return above[b.length]!;
}
