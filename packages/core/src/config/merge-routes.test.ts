import { expect, it } from "vitest";
import type { RouteRow } from "../entities/index.js";
import { mergeRoutes } from "./merge-routes.js";
import { configSchema } from "./schema.js";

const config = configSchema.parse({ routes: { fixed: { targets: [{ model: "demo/echo" }] } } });
const row = (name: string, rest: Partial<RouteRow> = {}): RouteRow => ({
  ...{ id: name, version: 1, createdAtMs: 0, updatedAtMs: 0, name, strategy: "fallback", targets: [{ model: "demo/scripted" }] },
  ...{
    sticky: "prefix",
    timeouts: {},
    retries: { baseMs: 1, maxMs: 2 },
    fallbackOn: [],
    contextOverflow: null,
    hedgeAfterMs: null,
    canary: null,
    shadow: null,
    cache: null,
  },
  ...rest,
});

it("has the stored routes beside those of the configuration, which win", () => {
  const routes = mergeRoutes(config, [row("chat", { hedgeAfterMs: 7 }), row("fixed")]);
  expect([...routes.keys()].sort()).toEqual(["chat", "fixed"]);
  expect(routes.get("fixed")).toBe(config.routes["fixed"]);
  expect(routes.get("chat")).toEqual({
    ...{ strategy: "fallback", targets: [{ model: "demo/scripted" }], sticky: "prefix", timeouts: {}, retries: { baseMs: 1, maxMs: 2 } },
    ...{ fallbackOn: [], hedge: { afterMs: 7 } },
  });
});

it("leaves out what was spoilt in the store, and says so: the other routes and the keys must not go with it", () => {
  const spoilt: string[] = [];
  const routes = mergeRoutes(config, [row("bad", { targets: [] }), row("good")], (name) => spoilt.push(name));
  expect([...routes.keys()].sort()).toEqual(["fixed", "good"]);
  expect(spoilt).toEqual(["bad"]);
});
