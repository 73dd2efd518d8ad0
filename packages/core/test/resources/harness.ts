import type { Caller } from "../../src/calls/index.js";
import type { Gateway } from "../../src/gateway.js";
import { createTestGateway, type TestGatewayOptions } from "../../src/testing/index.js";

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // biome-ignore lint: the shape is what each test says
  /** The JSON object; empty for anything else. */
  readonly body: Readonly<Record<string, unknown>>;
}
export interface CallInit {
  readonly as?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Somebody of a host application: the whole of the projects and grants named. */
export function callerOf(
  id: string,
  o: { readonly grants?: readonly string[]; readonly projects?: readonly [string, ...string[]] } = {},
): Caller {
  return { kind: "user", id, name: id, projects: o.projects ?? ["default"], grants: o.grants ?? ["*"] };
}

/** A real gateway whose callers are told by `x-test-caller`; nobody: no such header. */
export async function restGateway(callers: readonly Caller[], options: TestGatewayOptions = {}) {
  const known = new Map(callers.map((caller) => [caller.id, caller]));
  const auth: TestGatewayOptions["auth"] = ({ header }) => known.get(header("x-test-caller") ?? "") ?? null;
  const gateway: Gateway = await createTestGateway({ auth, ...options });
  const call = async (method: string, path: string, o: CallInit = {}): Promise<Called> => {
    const { as = callers[0]!.id, body } = o;
    const response = await gateway.fetch(
      new Request(`http://localhost${path}`, {
        method,
        headers: { "content-type": "application/json", ...(as === "" ? {} : { "x-test-caller": as }), ...o.headers },
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    const text = await response.text();
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true && text !== "";
    return { status: response.status, headers: response.headers, text, body: (isJson ? JSON.parse(text) : {}) as Called["body"] };
  };
  return { gateway, call };
}
/** The code of an error's answer. */
export function codeOf({ body }: Called): unknown {
  return (body["error"] as { code?: unknown } | undefined)?.code;
}
export type RestGateway = Awaited<ReturnType<typeof restGateway>>;
