import type { Headers, Inbound, ProtocolId } from "../../calls/index.js";
import { dialects } from "../dialects.js";

/**
 * What of a caller's headers belongs to its call and may go on to a vendor of the same protocol: the values that the protocol's codec allows (`CodecTraits.callerHeaders`), and nothing
 * else. Headers to vendors are otherwise built from scratch.
 */
export function callerHeaders(protocol: ProtocolId, inbound: Pick<Inbound, "header">): Headers | undefined {
  const allowed = dialects[protocol]?.traits.callerHeaders ?? [];
  const found: [string, string][] = [];
  for (const { name, value } of allowed) {
    const values = (inbound.header(name) ?? "").split(",").map((one) => one.trim());
    const kept = [...new Set(values.filter((one) => value.test(one)))];
    if (kept.length > 0) found.push([name, kept.join(",")]);
  }
  return found.length === 0 ? undefined : found;
}
