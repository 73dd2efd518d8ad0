import type OpenAI from "openai";
import type { Headers as HeaderList } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { isObject } from "../../../util/json.js";
import { vendorError } from "../../../wire/shared/vendor-error.js";
import { guardedFetch } from "../../guarded-fetch.js";
import type { OperationContext } from "../../operations.js";

type Sdk = typeof import("openai");

/**
 * Runs `work` with the vendor's SDK: our fetch, our credential, none of its retries. The package is loaded on first use.
 * Errors: `missing_dependency` naming the install command, what the vendor's refusal means, and those of the HTTP client.
 */
export async function withClient<A>(
  context: OperationContext,
  work: (client: OpenAI, sdk: Sdk) => Promise<A>,
  load: () => Promise<Sdk> = () => import("openai"),
): Promise<A> {
  const sdk = await loaded(load);
  const client = new sdk.default({
    // Replaced on the way out by what the provider's row says.
    apiKey: "unused",
    adminAPIKey: null,
    organization: null,
    project: null,
    webhookSecret: null,
    baseURL: context.baseUrl,
    fetch: guardedFetch(context),
    maxRetries: 0,
    timeout: Math.max(1, context.deadlineMs - Date.now()),
    logLevel: "off",
  });
  try {
    return await work(client, sdk);
  } catch (error) {
    throw meaningOf(error, sdk);
  }
}

async function loaded(load: () => Promise<Sdk>): Promise<Sdk> {
  try {
    return await load();
  } catch (error) {
    throw new GatewayError("missing_dependency", "This operation needs the package openai, which could not be loaded.", {
      hint: "npm install openai",
      cause: error,
    });
  }
}

function meaningOf(error: unknown, sdk: Sdk): unknown {
  if (GatewayError.is(error)) return error;
  // The SDK wraps what its fetch threw, which says more.
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (GatewayError.is(cause)) return cause;
  if (!(error instanceof sdk.APIError) || error.status === undefined) return error;
  const headers = [...((error.headers as Headers | undefined) ?? [])] as unknown as HeaderList;
  const said = isObject(error.error) ? error.error : {};
  return vendorError({
    status: error.status as number,
    headers,
    message: typeof said["message"] === "string" ? said["message"] : undefined,
    type: error.type ?? undefined,
    code: error.code ?? undefined,
    param: error.param ?? undefined,
  });
}
