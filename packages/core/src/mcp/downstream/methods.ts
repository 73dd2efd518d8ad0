import type { HttpAnswer } from "../../calls/index.js";
import { RPC } from "../frames/protocol.js";
import type { OtherCalls } from "./other-calls.js";
import { listKindOf } from "./other-calls.js";
import type { RpcCall } from "./request.js";
import { errorAnswer } from "./respond.js";
import type { ToolCalls } from "./tool-calls.js";

/** The methods that both eras have. */
export class Methods {
  readonly #tools: ToolCalls;
  readonly #others: OtherCalls;
  constructor(o: { readonly tools: ToolCalls; readonly others: OtherCalls }) {
    this.#tools = o.tools;
    this.#others = o.others;
  }

  /** Errors are thrown, for the face to tell as JSON-RPC errors. */
  request(rpc: RpcCall): Promise<HttpAnswer> {
    const { method } = rpc.message;
    if (method === "tools/call") return this.#tools.serve(rpc);
    const list = listKindOf(method);
    if (list !== undefined) return this.#others.list(rpc, list);
    switch (method) {
      case "prompts/get":
        return this.#others.getPrompt(rpc);
      case "resources/read":
        return this.#others.readResource(rpc);
      case "completion/complete":
        return this.#others.complete(rpc);
      default:
        return Promise.resolve(
          // 2026-07-28 wants the status to say it as well.
          errorAnswer(rpc.era === "modern" ? 404 : 200, rpc.id, {
            code: RPC.methodNotFound,
            message: `The method ${method.slice(0, 100)} is not known here.`,
          }),
        );
    }
  }
}
