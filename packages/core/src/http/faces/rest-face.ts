import type { HttpAnswer, Inbound } from "../../calls/index.js";
import { validate, validateText, type RestRoute, type RouteInput, type RouteOutput } from "../../routes/index.js";
import { jsonAnswer } from "../answers.js";
import type { Exchange, OpenExchange } from "../exchange.js";
import { readJsonBytes } from "./json-body.js";
import { decodeParams } from "./params.js";
import { parseStrictJson } from "./strict-json.js";

type Events = Extract<RestRoute["output"], { kind: "events" }>;
type JsonRoute = RestRoute & { readonly output: { readonly kind: "json" } };
export type EventRoute = RestRoute & { readonly output: Events };

/** Binds a route to what it does: every part of the request is checked against the route's schemas first, path and query before the body is read. */
export function jsonHandler<R extends JsonRoute, X extends OpenExchange>(
  route: R,
  handle: (input: RouteInput<R>, x: X) => RouteOutput<R> | Promise<RouteOutput<R>>,
): (x: X) => Promise<HttpAnswer> {
  return async (x) => jsonAnswer(route.output.status, await handle(await readInput(route, x), x));
}

export function eventHandler<R extends EventRoute>(
  route: R,
  handle: (input: RouteInput<R>, x: Exchange) => Promise<HttpAnswer>,
): (x: Exchange) => Promise<HttpAnswer> {
  return async (x) => handle(await readInput(route, x), x);
}

/** Every part of the request, checked. Errors: `validation_failed`, `invalid_json`, and those of reading a body. */
export async function readInput<R extends RestRoute>(route: R, x: OpenExchange): Promise<RouteInput<R>> {
  const { inbound } = x;
  const params = route.params === undefined ? {} : validateText(route.params, decodeParams(x.params), "path");
  const query = route.query === undefined ? {} : validateText(route.query, new URLSearchParams(inbound.query), "query");
  const headers =
    route.headers === undefined ? {} : validateText(route.headers, headersOf(inbound, Object.keys(route.headers.shape)), "header");
  const body = route.body === undefined ? {} : validate(route.body, await readBody(route, x), "body");
  return { params, query, headers, body } as RouteInput<R>;
}

function headersOf(inbound: Inbound, names: readonly string[]): [string, string][] {
  return names.flatMap((name) => {
    const value = inbound.header(name);
    return value === undefined ? [] : [[name, value] as [string, string]];
  });
}

async function readBody(route: RestRoute, x: OpenExchange): Promise<unknown> {
  const bytes = await readJsonBytes(x.inbound, x.maxBodyBytes);
  return bytes.length === 0 && route.bodyOptional === true ? {} : parseStrictJson(bytes);
}
