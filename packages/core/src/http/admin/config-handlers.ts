import type { RuntimeConfiguration } from "../../config/runtime/index.js";
import { GatewayError } from "../../errors/index.js";
import { configRoutes, type RouteOutput } from "../../routes/index.js";
import type { Services } from "../../seams/index.js";
import type { Exchange, Handler } from "../exchange.js";
import { jsonHandler } from "../faces/rest-face.js";

/** Settings beside their rows, which are derived: why one has its value, and what would become of a change. What is of every project is shown to who may read it in every one (T04). */
export function configHandlers(
  services: Services,
  configuration: RuntimeConfiguration | undefined,
): Readonly<Record<keyof typeof configRoutes, Handler>> {
  const asked = (x: Exchange): RuntimeConfiguration => {
    services.seams.resources.assertEverywhere(x.caller, "config:read");
    if (configuration !== undefined) return configuration;
    throw new GatewayError("not_found", "This gateway has no settings that can be changed.");
  };
  return {
    explain: jsonHandler(configRoutes.explain, async ({ params }, x: Exchange) => {
      const { key, path, value, source, fixed, stored, layers } = await asked(x).explain(params.key);
      return { key, path, value, source, fixed, problem: stored?.problem ?? null, layers } as RouteOutput<typeof configRoutes.explain>;
    }),
    test: jsonHandler(
      configRoutes.test,
      async ({ params, body }, x: Exchange) => (await asked(x).test(params.key, body.value)) as RouteOutput<typeof configRoutes.test>,
    ),
  };
}
