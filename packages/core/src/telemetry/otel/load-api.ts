import { GatewayError } from "../../errors/index.js";

export type OtelApi = typeof import("@opentelemetry/api");

/** OpenTelemetry's API as the program has it: what is registered there is where spans go. Errors: `missing_dependency` with the install command. */
export async function loadOtelApi(load: () => Promise<OtelApi> = () => import("@opentelemetry/api")): Promise<OtelApi> {
  try {
    return await load();
  } catch (error) {
    throw new GatewayError("missing_dependency", "telemetry.otel needs the package @opentelemetry/api, which could not be loaded.", {
      hint: "npm install @opentelemetry/api",
      cause: error,
    });
  }
}
