import type { Tracer } from "@opentelemetry/api";
import type { Config } from "../../config/schema.js";
import { GatewayError } from "../../errors/index.js";

type LangfuseConfig = NonNullable<Config["telemetry"]["langfuse"]>;

/** Spans that go to Langfuse, through a provider of their own: what the program has set up for OpenTelemetry is left alone. */
export interface LangfuseSpans {
  readonly tracer: Tracer;
  /** Sends what waits. */
  close(): Promise<void>;
}

/**
 * Langfuse's own span processor behind a tracer. `mask` is what passes before anything leaves.
 * Errors: `missing_dependency` with the install command.
 */
export async function langfuseSpans(
  config: LangfuseConfig,
  o: { readonly mask: (text: string) => string; readonly version: string },
): Promise<LangfuseSpans> {
  const [{ LangfuseSpanProcessor }, { BasicTracerProvider }] = await loaded();
  const processor = new LangfuseSpanProcessor({
    publicKey: config.publicKey,
    secretKey: config.secretKey.reveal(),
    baseUrl: config.baseUrl,
    mask: ({ data }: { data: unknown }) => (typeof data === "string" ? o.mask(data) : data),
    mediaUploadEnabled: false,
    // All of it is ours: there is nothing of others to keep out.
    shouldExportSpan: () => true,
  });
  const provider = new BasicTracerProvider({ spanProcessors: [processor] });
  return { tracer: provider.getTracer("sallyport", o.version), close: () => provider.shutdown() };
}

async function loaded() {
  try {
    return await Promise.all([import("@langfuse/otel"), import("@opentelemetry/sdk-trace-base")]);
  } catch (error) {
    throw new GatewayError("missing_dependency", "telemetry.langfuse needs packages that could not be loaded.", {
      hint: "npm install @langfuse/otel@5 @opentelemetry/api@1.9 @opentelemetry/sdk-trace-base@2 @opentelemetry/core@2 @opentelemetry/exporter-trace-otlp-http@0.223",
      cause: error,
    });
  }
}
