export { Telemetry, type OtelOptions, type TelemetryOptions } from "./telemetry.js";
