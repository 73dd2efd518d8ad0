import { afterAll, beforeAll, expect, it } from "vitest";
import { allRoutes, type RestRoute } from "../../src/routes/index.js";
import { callerOf, restGateway, type RestGateway } from "./harness.js";
import { examplesOf, mutated, randomOf } from "./mutations.js";

const REQUESTS = 20_000;
const SEED = 20_260_411;

let rest: RestGateway;
beforeAll(async () => void (rest = await restGateway([callerOf("owner")])));
afterAll(() => rest.gateway.close());

it(`${REQUESTS} mutated requests over every route of our own are answered with 2xx, or 4xx and a typed body: never 5xx, never a hang (G10)`, async () => {
  const routes = allRoutes.filter((route): route is RestRoute => route.face === "rest");
  const examples = examplesOf(routes);
  const random = randomOf(SEED);
  const before = JSON.stringify(Object.getOwnPropertyNames(Object.prototype));
  const statuses = new Map<number, number>();
  const wrong: string[] = [];
  // One for 500 requests: a timer for each would cost more than the requests.
  let hang = AbortSignal.timeout(90_000);
  for (let i = 0; i < REQUESTS; i++) {
    if (i % 500 === 0) hang = AbortSignal.timeout(90_000);
    const route = routes[i % routes.length]!;
    const { path, headers, body } = mutated(route, examples.get(route.name), random);
    const request = new Request(`http://localhost${path}`, {
      method: route.method,
      headers: { ...headers, "x-test-caller": "owner" },
      signal: hang,
      ...(body === undefined ? {} : { body: body as string }),
    });
    const response = await rest.gateway.fetch(request);
    const { status } = response;
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    const shown = `${route.method} ${path.slice(0, 200)} ${typeof body === "string" ? body.slice(0, 300) : ""} → ${status}`;
    if (status < 400) {
      await response.body?.cancel();
      continue;
    }
    const text = await response.text();
    // A browser that was sent back reads a page.
    const isPage = route.name === "mcp.oauth.callback" && status === 400 && text.startsWith("<!doctype html>");
    const isTyped = isPage || /^\{"error":\{"code":"[a-z_]+","message":".+"request_id":"[^"]+"\}\}$/s.test(text);
    if (status >= 500 || !isTyped) wrong.push(`${shown} ${text.slice(0, 300)}`);
  }
  expect(wrong.slice(0, 10)).toEqual([]);
  expect(JSON.stringify(Object.getOwnPropertyNames(Object.prototype))).toBe(before);
  // It is a fuzz of routes and not of one refusal: some of each were understood.
  for (const status of [200, 201, 400, 404, 409]) expect([status, (statuses.get(status) ?? 0) > 0]).toEqual([status, true]);
}, 300_000);
