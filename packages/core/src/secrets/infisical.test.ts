import { createServer, type Server } from "node:http";
import { afterEach, expect, it } from "vitest";
import { FakeClock } from "../testing/fake-clock.js";
import { infisicalSource } from "./infisical.js";

// The official SDK against a server that answers as Infisical's API does; the real one cannot be reached from here.

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) server.close();
});

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly authorization: string | undefined;
}

async function infisical(o: { readonly status?: number; readonly value?: string } = {}) {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      seen.push({ method: request.method!, url: request.url!, authorization: request.headers.authorization });
      const isLogin = request.url!.includes("universal-auth/login");
      response.writeHead(isLogin ? 200 : (o.status ?? 200), { "content-type": "application/json" });
      if (isLogin)
        response.end(
          JSON.stringify({ accessToken: "token-of-the-machine", expiresIn: 7200, accessTokenMaxTTL: 7200, tokenType: "Bearer" }),
        );
      else if (o.status !== undefined) response.end(JSON.stringify({ message: "no, and the value is canary-in-the-answer" }));
      else response.end(JSON.stringify({ secret: { secretKey: "OPENAI_KEY", secretValue: o.value ?? "sk-from-infisical" } }));
    });
  });
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const env = {
    INFISICAL_SITE_URL: `http://127.0.0.1:${port}`,
    INFISICAL_CLIENT_ID: "machine",
    INFISICAL_CLIENT_SECRET: "of-the-machine",
    INFISICAL_PROJECT_ID: "project-1",
  };
  return { seen, env };
}
const within = { deadlineMs: Number.MAX_SAFE_INTEGER };

it("reads a secret of the project as the machine identity, and says when to look again", async () => {
  const { seen, env } = await infisical();
  const clock = new FakeClock();
  const source = infisicalSource(env, clock);
  expect(await source.resolve("/vendors/OPENAI_KEY", within)).toEqual({ value: "sk-from-infisical", refreshAtMs: clock.now() + 300_000 });
  await source.resolve("OPENAI_KEY", within);
  const logins = seen.filter(({ url }) => url.includes("login"));
  expect(logins).toHaveLength(1);
  const asked = seen
    .filter(({ url }) => url.includes("OPENAI_KEY"))
    .map(({ url, authorization }) => ({ query: new URL(url, env.INFISICAL_SITE_URL).searchParams, authorization }));
  expect(asked.map(({ authorization }) => authorization)).toEqual(["Bearer token-of-the-machine", "Bearer token-of-the-machine"]);
  expect(asked.map(({ query }) => [query.get("environment"), query.get("secretPath")])).toEqual([
    ["prod", "/vendors"],
    ["prod", "/"],
  ]);
});

it("says which secret could not be read, and nothing of what the server answered", async () => {
  const { env } = await infisical({ status: 404 });
  const failure = await infisicalSource(env, new FakeClock())
    .resolve("OPENAI_KEY", within)
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "misconfigured", message: "The secret infisical:OPENAI_KEY could not be read." });
  expect(JSON.stringify([failure, String((failure as Error).cause)])).not.toContain("canary");
});
