/** A path of this host and nothing that a browser could take for another address. */
export function isOwnPath(path: string): boolean {
  return path.length <= 500 && /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !path.includes("\\");
}
