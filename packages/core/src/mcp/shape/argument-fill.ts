import type { ArgumentOverride } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { KeyTable } from "../../util/json-scanner.js";
import { scanJson, textAt, type JsonNode, type ScanPlan } from "../frames/json-scan.js";
import { folded, keyAt, member, readMessage, requestPlan, type RpcMessage } from "../frames/message.js";
import { objectText } from "../frames/object-text.js";
import { insertMembers, splice, utf8 } from "../frames/splice.js";

const LEAF: ScanPlan = { table: new KeyTable([]), inner: [], elements: null };
const NOTHING = utf8("{}");

/** What the operator says of a tool's arguments, put into a call before anybody judges it: policy, approvals and audit see what is sent. */
export class ArgumentFill {
  readonly #plan: ScanPlan;
  readonly #fixed = new Map<string, string>();
  readonly #defaults = new Map<string, string>();
  readonly #refused = new Set<string>();
  readonly #refusedAnyCase: ReadonlyMap<string, string>;

  private constructor(overrides: Readonly<Record<string, ArgumentOverride>>) {
    for (const [name, { value, hidden, default: usual }] of Object.entries(overrides)) {
      if (value !== undefined) this.#fixed.set(name, JSON.stringify(value));
      else {
        if (hidden === true) this.#refused.add(name);
        if (usual !== undefined) this.#defaults.set(name, JSON.stringify(usual));
      }
    }
    this.#refusedAnyCase = new Map([...this.#refused].map((name) => [folded(name), name]));
    const names = [...new Set([...this.#fixed.keys(), ...this.#defaults.keys(), ...this.#refused])];
    this.#plan = { table: new KeyTable(names), inner: names.map(() => LEAF), elements: null };
  }

  /** null: there is nothing to put in or to refuse. */
  static of(overrides: Readonly<Record<string, ArgumentOverride>> | undefined): ArgumentFill | null {
    const fill = new ArgumentFill(overrides ?? {});
    return fill.#plan.inner.length === 0 ? null : fill;
  }

  /** Not shown to callers. */
  hides(name: string): boolean {
    return this.#fixed.has(name) || this.#refused.has(name);
  }
  /** As JSON text. */
  defaultOf(name: string): string | undefined {
    return this.hides(name) ? undefined : this.#defaults.get(name);
  }

  /** The JSON text of the arguments as the server gets them. Errors: `validation_failed` for one that callers do not have. */
  fill(args: Uint8Array): string {
    const root = scanJson(args, this.#plan);
    const given = new Set((root.kids ?? []).map(({ key }) => key));
    if (this.#refused.size > 0) this.#refuseHidden(args, root.kids ?? []);
    const usual = [...this.#defaults].filter(([name]) => !given.has(name));
    return objectText(args, root, { drop: (key) => this.#fixed.has(key), add: [...this.#fixed, ...usual] });
  }

  /** In any case: some servers read a name so. */
  #refuseHidden(args: Uint8Array, kids: readonly JsonNode[]): void {
    for (const kid of kids) {
      const name = this.#refusedAnyCase.get(folded(keyAt(args, kid)));
      if (name !== undefined)
        throw new GatewayError("validation_failed", `The argument "${name}" is not open to callers of this tool.`, {
          hint: "Leave it out; tools/list shows the arguments there are.",
        });
    }
  }

  /** A `tools/call` as the server gets it; its arguments are an object, or left out. */
  fillMessage(message: RpcMessage): RpcMessage {
    const args = member(message.params, "arguments");
    const text = this.fill(args === null ? NOTHING : message.bytes.subarray(args.start, args.end));
    if (args !== null && text === textAt(message.bytes, args)) return message;
    const edit =
      args === null ? insertMembers(message.params!, `"arguments":${text}`) : { start: args.start, end: args.end, bytes: utf8(text) };
    return readMessage(splice(message.bytes, [edit]), requestPlan);
  }
}
