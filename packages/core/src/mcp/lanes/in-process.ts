import { GatewayError } from "../../errors/index.js";
import type { McpFrame, McpWire } from "../../ports/index.js";
import { utf8 } from "../frames/splice.js";

/** A server object of the official SDK, of either of its lines, or anything else with its `connect`. */
export interface InProcessServer {
  /** Takes one side of a transport as the SDK has it: `start`, `send`, `close`, `onmessage`, `onclose`, `onerror`. */
  connect(transport: object): Promise<void>;
  close?(): Promise<void>;
}

interface Handlers {
  onmessage?: (message: unknown) => void;
  onclose?: () => void;
}

const decoder = new TextDecoder("utf-8");

/** Connects a server that lives in this process. Messages are passed on in later turns, as over any other wire. Errors: what `connect` throws. */
export async function openInProcess(server: InProcessServer): Promise<McpWire> {
  let onFrame: (frame: McpFrame) => void = () => undefined;
  let onClose: (why: Error | null) => void = () => undefined;
  let open = true;
  const over = (why: Error | null) => {
    if (!open) return;
    open = false;
    onClose(why);
  };
  const transport: Handlers & { readonly [method: string]: unknown } = {
    start: () => Promise.resolve(),
    send: (message: unknown) => {
      const frame = utf8(JSON.stringify(message));
      queueMicrotask(() => {
        if (open) onFrame(frame);
      });
      return Promise.resolve();
    },
    close: () => {
      over(null);
      transport.onclose?.();
      return Promise.resolve();
    },
  };
  await server.connect(transport);
  return {
    send: (frame) => {
      if (!open) return Promise.reject(new GatewayError("upstream_unavailable", "The server in this process was closed."));
      const message: unknown = JSON.parse(decoder.decode(frame));
      queueMicrotask(() => transport.onmessage?.(message));
      return Promise.resolve();
    },
    onFrame: (handler) => void (onFrame = handler),
    onClose: (handler) => void (onClose = handler),
    close: async () => {
      over(null);
      await server.close?.();
    },
  };
}
