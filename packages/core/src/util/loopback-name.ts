/** Names that only ever mean this machine. Source: RFC 6761 §6.3, RFC 1122 §3.2.1.3. */
export function isLoopback(name: string): boolean {
  return name === "localhost" || name === "[::1]" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}
