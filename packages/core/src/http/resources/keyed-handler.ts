import { creationHeaders, validateText, type RestRoute, type RouteInput, type RouteOutput } from "../../routes/index.js";
import { jsonBytesAnswer } from "../answers.js";
import type { Exchange, Handler } from "../exchange.js";
import { readInput } from "../faces/rest-face.js";
import type { Idempotency } from "../../policy/idempotency/idempotency.js";

type CreatingRoute = RestRoute & { readonly output: { readonly kind: "json" } };
export interface KeyedOptions {
  readonly idempotency: Idempotency;
  /** Fields of the answer that are shown once: they are not kept, and a repetition names them in `not_shown_again`. */
  readonly showOnce?: readonly string[];
}
const HEADER = "idempotency-key";
const encoder = new TextEncoder();

/**
 * Binds a hand-written creation to what it does, as `jsonHandler` does, and has it heed `Idempotency-Key` whether or not the route's `headers` name it. The route's output is an object.
 * Errors: `validation_failed` for a key that is no such key, `idempotency_key_reuse`, `outcome_unknown`, `conflict`, and those of `handle`.
 */
export function keyedHandler<R extends CreatingRoute>(
  route: R,
  o: KeyedOptions,
  handle: (input: RouteInput<R>, x: Exchange) => Promise<RouteOutput<R>>,
): Handler {
  const showOnce = (name: string): boolean => o.showOnce?.includes(name) === true;
  return async (x) => {
    const input = await readInput(route, x);
    const given = x.inbound.header(HEADER);
    const { [HEADER]: key } = validateText(creationHeaders, given === undefined ? [] : [[HEADER, given]], "header");
    const create = async () => (await handle(input, x)) as Readonly<Record<string, unknown>>;
    const { status } = route.output;
    if (key === undefined) return answer(status, await create(), false);
    const keyed = o.idempotency.keyed(x, { key, route: route.name, payload: [input.params, input.body] });
    const made = await o.idempotency.run(keyed, { status, showOnce, create });
    return answer(made.status, made.body, made.replayed);
  };
}

function answer(status: number, body: unknown, isReplayed: boolean) {
  return jsonBytesAnswer(encoder.encode(JSON.stringify(body)), isReplayed ? [["idempotency-replayed", "true"]] : [], status);
}
