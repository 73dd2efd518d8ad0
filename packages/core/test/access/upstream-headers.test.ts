import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Browser, call, gatewayOf, PASSWORD } from "./harness.js";

it("nothing that says who calls reaches a vendor: no cookie, no token, no key of ours, whatever else is sent (T14)", async () => {
  const seen: IncomingHttpHeaders[] = [];
  const upstream = createServer((request, response) => {
    seen.push(request.headers);
    request.resume().on("end", () => {
      response.writeHead(200, { "content-type": "application/json" });
      const message = { role: "assistant", content: "hi" };
      response.end(
        JSON.stringify({
          id: "x",
          object: "chat.completion",
          created: 1,
          model: "m",
          choices: [{ index: 0, message, finish_reason: "stop" }],
        }),
      );
    });
  }).listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const baseUrl = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
  const gateway = await gatewayOf({
    providers: { own: { vendor: "openai-compatible", baseUrl, apiKey: "sk-of-the-operator", models: ["m"] } },
  });
  try {
    await gateway.users.create({ username: "ada", password: PASSWORD, role: "admin" });
    const browser = new Browser(gateway);
    await browser.login("ada");
    const { key } = await gateway.keys.create({ name: "k" });
    const body = { model: "own/m", messages: [{ role: "user", content: "hi" }] };
    const names = fc.constantFrom(
      ...[
        "x-sallyport-project",
        "x-upstream-authorization",
        "openai-organization",
        "x-forwarded-for",
        "forwarded",
        "proxy-authorization",
        "x-real-ip",
        "anthropic-beta",
      ],
    );
    const value = fc.constant("canary-of-the-caller");
    await fc.assert(
      fc.asyncProperty(
        fc.boolean(),
        fc.dictionary(fc.oneof(names, fc.stringMatching(/^x-[a-z]{3,12}$/)), value, { maxKeys: 6 }),
        async (bySession, given) => {
          const { "x-sallyport-project": _project, ...headers } = given;
          const response = bySession
            ? await browser.send("/v1/chat/completions", { body, headers })
            : await call(gateway, "/v1/chat/completions", {
                key,
                body,
                headers: { ...given, cookie: "sallyport_session=canary-of-the-caller" },
              });
          expect(response.status).toBe(200);
          const text = JSON.stringify(seen.at(-1));
          expect(seen.at(-1)!.authorization).toBe("Bearer sk-of-the-operator");
          for (const secret of [key, browser.csrf!, browser.cookies.get("sallyport_session")!, "canary-of-the-caller"])
            expect(text).not.toContain(secret);
        },
      ),
      { numRuns: 150 },
    );
  } finally {
    await gateway.close({ graceMs: 0 });
    upstream.close();
  }
});
