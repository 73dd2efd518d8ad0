import type { HttpAnswer } from "../../calls/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { MODERN_VERSION, severity } from "../frames/protocol.js";
import { utf8 } from "../frames/splice.js";
import { MODERN_CAPABILITIES, instructionsFor } from "./describe.js";
import type { Incoming } from "./legacy-face.js";
import type { Listens } from "../subscribers/listens.js";
import type { Methods } from "./methods.js";
import type { RpcCall } from "./request.js";
import type { TaskCalls } from "./task-calls.js";
import { emptyAnswer, jsonAnswer, resultBytes, resultHead } from "./respond.js";

export interface ModernFaceOptions {
  readonly catalogue: Catalogue;
  readonly methods: Methods;
  readonly listens: Listens;
  readonly tasks: TaskCalls;
  readonly version: string;
}

/** Revision 2026-07-28: every request stands for itself; leaving its answer cancels it. */
export class ModernFace {
  readonly #o: ModernFaceOptions;
  constructor(options: ModernFaceOptions) {
    this.#o = options;
  }

  async post(incoming: Incoming, logLevel: string | null): Promise<HttpAnswer> {
    if (incoming.message.kind === "notification") return emptyAnswer(202);
    // Without a level in the request nothing may be logged for it.
    const logs = logLevel === null ? "none" : { least: severity(logLevel) };
    const { request, o, view, message, id, takesStream } = incoming;
    const rpc: RpcCall = { request, o, view, message, id, takesStream, era: "modern", signal: o.signal, logs, session: null };
    switch (rpc.message.method) {
      case "server/discover":
        return this.#discover(rpc);
      case "subscriptions/listen":
        return this.#o.listens.open(rpc);
      case "tasks/get":
      case "tasks/update":
      case "tasks/cancel":
        return this.#o.tasks.serve(rpc);
      default:
        return this.#o.methods.request(rpc);
    }
  }

  async #discover(rpc: RpcCall): Promise<HttpAnswer> {
    const starting = this.#o.catalogue.started();
    if (starting !== null) await starting;
    const instructions = instructionsFor(this.#o.catalogue, rpc.view, rpc.o.caller);
    const rest = {
      supportedVersions: [MODERN_VERSION],
      capabilities: MODERN_CAPABILITIES,
      ...(instructions === null ? {} : { instructions }),
    };
    const result = `{${resultHead("modern", this.#o.version, { keepMs: 0 })},${JSON.stringify(rest).slice(1)}`;
    return jsonAnswer(200, resultBytes(rpc.id, utf8(result)));
  }
}
