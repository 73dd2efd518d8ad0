import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, generateKeyPair, SignJWT, type JWTHeaderParameters, type JWTPayload } from "jose";

export const PUBLIC = "https://gateway.example/ai";
export const nowS = () => Math.floor(Date.now() / 1_000);

/** Issues access tokens: its metadata and keys over real HTTP. */
export async function issuerOf() {
  const good = await generateKeyPair("RS256", { extractable: true });
  const other = await generateKeyPair("RS256", { extractable: true });
  const jwk = { ...(await exportJWK(good.publicKey)), kid: "k1", alg: "RS256", use: "sig" };
  const paths: string[] = [];
  let isDown = false;
  const server = createServer((request, response) => {
    paths.push(request.url ?? "");
    if (isDown) return void response.destroy();
    const body =
      request.url === "/jwks"
        ? { keys: [jwk] }
        : request.url === "/.well-known/openid-configuration"
          ? { issuer: url, jwks_uri: `${url}/jwks` }
          : null;
    response.writeHead(body === null ? 404 : 200, { "content-type": "application/json" }).end(JSON.stringify(body ?? {}));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const claims = (more: JWTPayload = {}): JWTPayload => ({
    iss: url,
    sub: "ada",
    aud: `${PUBLIC}/mcp`,
    exp: nowS() + 600,
    scope: "tools",
    name: "Ada",
    ...more,
  });
  const sign = (payload: JWTPayload, header: Partial<JWTHeaderParameters> = {}, key = good.privateKey) =>
    new SignJWT(payload).setProtectedHeader({ alg: "RS256", kid: "k1", typ: "at+jwt", ...header }).sign(key);
  return { url, good, other, paths, claims, sign, server, fails: (down: boolean) => void (isDown = down) };
}
