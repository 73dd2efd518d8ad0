import { receiver } from "./harness.js";

export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly status: { readonly code?: number; readonly message?: string };
  readonly startMs: number;
  readonly endMs: number;
}

interface Value {
  readonly stringValue?: string;
  readonly intValue?: number | string;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values: readonly Value[] };
}

/** A real OTLP/HTTP receiver on loopback, that gives what it was sent. */
export async function otlpReceiver() {
  const { url, seen } = await receiver();
  const spans = (): OtlpSpan[] => seen.flatMap(({ body }) => spansOf(body));
  return { url, seen, spans };
}

function spansOf(body: string): OtlpSpan[] {
  const parsed = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] };
  return parsed.resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        ...(span as unknown as OtlpSpan),
        attributes: Object.fromEntries(
          (span["attributes"] as { key: string; value: Value }[]).map(({ key, value }) => [key, plain(value)]),
        ),
        startMs: Number(span["startTimeUnixNano"]) / 1e6,
        endMs: Number(span["endTimeUnixNano"]) / 1e6,
      })),
    ),
  );
}

function plain(value: Value): unknown {
  if (value.arrayValue !== undefined) return value.arrayValue.values.map(plain);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? Number(value.intValue);
}
