/**
 * Whether `name` matches a glob in which only `*` is special (any run of characters, also none). Time is at most the product of both lengths,
 * whatever the input: no backtracking past the last star.
 */
export function matchesGlob(glob: string, name: string): boolean {
  let g = 0;
  let n = 0;
  let star = -1;
  let resume = 0;
  while (n < name.length) {
    if (glob[g] === "*") {
      star = g++;
      resume = n;
    } else if (g < glob.length && glob[g] === name[n]) {
      g++;
      n++;
    } else if (star >= 0) {
      g = star + 1;
      n = ++resume;
    } else return false;
  }
  while (glob[g] === "*") g++;
  return g === glob.length;
}

export function matchesAnyGlob(globs: readonly string[], name: string): boolean {
  return globs.some((glob) => matchesGlob(glob, name));
}

/** Globs of what is let pass; left out: all. A denial wins. */
export interface NameFilter {
  readonly allow?: readonly string[] | undefined;
  readonly deny?: readonly string[] | undefined;
}

export function letsPass({ allow, deny }: NameFilter, name: string): boolean {
  if (deny !== undefined && matchesAnyGlob(deny, name)) return false;
  return allow === undefined || matchesAnyGlob(allow, name);
}
