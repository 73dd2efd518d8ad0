import { GatewayError } from "@sallyport/core";

export type Status = "ok" | "warn" | "fail";

/** One line of the doctor's report. Nothing secret: a report is what people paste. */
export interface Finding {
  readonly area: string;
  readonly status: Status;
  readonly what: string;
  /** One step that mends it; for every finding that is not ok. */
  readonly fix?: string | undefined;
}

export const ok = (area: string, what: string): Finding => ({ area, status: "ok", what });
export const warn = (area: string, what: string, fix: string): Finding => ({ area, status: "warn", what, fix });
export const fail = (area: string, what: string, fix: string): Finding => ({ area, status: "fail", what, fix });

/** An error as a finding: what one of ours says is what its author meant to be read. */
export function failed(area: string, thrown: unknown): Finding {
  const error = GatewayError.from(thrown);
  const what = error.code === "internal" && thrown instanceof Error ? thrown.message : error.message;
  return fail(area, what.replace(/\.$/, ""), error.hint ?? "Repeat with --verbose to see the whole error.");
}
