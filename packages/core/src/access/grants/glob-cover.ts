/**
 * Whether every name that matches `inner` matches `outer`; both are globs in which only `*` is special. Exact but for names that hold a star themselves, and never wrong in the caller's favour: it
 * is `matchesGlob` over the inner glob's characters, where a star of the inner glob is only matched by a star of the outer one.
 */
export function globCovers(outer: string, inner: string): boolean {
  // reachable[o]: the outer glob's first o characters can stand for all of inner that was read.
  let reachable = closure(outer, new Set([0]));
  for (const char of inner) {
    const next = new Set<number>();
    for (const at of reachable) {
      if (outer[at] === "*") next.add(at);
      else if (char !== "*" && outer[at] === char) next.add(at + 1);
    }
    if (next.size === 0) return false;
    reachable = closure(outer, next);
  }
  return reachable.has(outer.length);
}

/** A star may also stand for nothing. */
function closure(glob: string, places: Set<number>): Set<number> {
  for (const at of places) if (glob[at] === "*") places.add(at + 1);
  return places;
}

/** Whether some name matches both globs. */
export function globsMeet(a: string, b: string): boolean {
  const width = b.length + 1;
  const seen = new Set<number>();
  const todo = [0];
  for (;;) {
    const place = todo.pop();
    if (place === undefined) return false;
    if (seen.has(place)) continue;
    seen.add(place);
    const i = Math.floor(place / width);
    const j = place % width;
    if (i === a.length && j === b.length) return true;
    if (a[i] === "*") {
      todo.push(place + width);
      if (j < b.length) todo.push(place + 1);
    }
    if (b[j] === "*") {
      todo.push(place + 1);
      if (i < a.length) todo.push(place + width);
    }
    if (i < a.length && a[i] !== "*" && a[i] === b[j]) todo.push(place + width + 1);
  }
}
