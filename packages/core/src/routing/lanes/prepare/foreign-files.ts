import type { ModelCall, ProtocolId } from "../../../calls/index.js";
import { mapMedia } from "../../../wire/shared/adapt/url-media.js";
import { unsupported } from "../../../wire/shared/fields.js";

/**
 * A file that was uploaded to one vendor means nothing to another, or something else: named in the dialect of one, it does not go to a vendor of another. A file uploaded to the gateway
 * is bytes by now. Errors: `unsupported_feature` naming the part.
 */
export function refuseForeignFiles(call: ModelCall, from: ProtocolId, to: ProtocolId): void {
  if (family(from) === family(to)) return;
  mapMedia(call.messages, (part, field) => {
    if (part.source.kind === "file")
      throw unsupported(field, "names a file that was uploaded to another vendor: upload it to /v1/files here, or send its bytes");
    return part;
  });
}

/** Both of OpenAI's dialects name the same files. */
function family(protocol: ProtocolId): string {
  return protocol.slice(0, protocol.indexOf("-"));
}
