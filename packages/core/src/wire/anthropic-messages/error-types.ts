import type { ErrorType } from "@anthropic-ai/sdk/resources/shared";

/** The vendor's words for kinds of errors and the status of each. Source: https://platform.claude.com/docs/en/api/errors; the first of a status is the one that we say. */
const statusByType: Readonly<Record<ErrorType | "request_too_large", number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  memory_path_conflict_error: 409,
  memory_precondition_failed_error: 412,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** The status of an error that came inside a 200; undefined for a type that is not the vendor's. */
export function statusOfType(type: string | undefined): number | undefined {
  return type !== undefined && Object.hasOwn(statusByType, type) ? statusByType[type as ErrorType] : undefined;
}

/** The vendor's word for a status. */
export function typeOfStatus(status: number): string {
  const found = Object.entries(statusByType).find(([, known]) => known === status);
  if (found !== undefined) return found[0];
  return status >= 500 ? "api_error" : "invalid_request_error";
}
