/** There is no process to name. */
export function processLabel(): string {
  return "";
}
