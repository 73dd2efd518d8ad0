import type { Challenge } from "../lanes/authorizer.js";

/** What a server's 401 or 403 said. */
export interface Hint {
  readonly resourceMetadataUrl?: URL | undefined;
  readonly scope?: string | undefined;
}

/** What a refusal says: where the server's metadata is, which scope it wants, and why (RFC 6750, RFC 9728). Read by the SDK. */
export async function hintOf({
  status,
  wwwAuthenticate,
}: Pick<Challenge, "wwwAuthenticate"> & { readonly status: number }): Promise<Hint & { readonly error?: string | undefined }> {
  if (wwwAuthenticate === undefined || wwwAuthenticate.length > 8_192) return {};
  const { extractWWWAuthenticateParams } = await import("@modelcontextprotocol/client");
  const { resourceMetadataUrl, scope, error } = extractWWWAuthenticateParams(
    new Response(null, { status, headers: { "www-authenticate": wwwAuthenticate } }),
  );
  const isScope = scope !== undefined && scope.length <= 2_000 && /^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/.test(scope);
  return { resourceMetadataUrl, scope: isScope ? scope : undefined, error };
}

/** Every scope of either, once. undefined: none. */
export function scopeUnion(...scopes: readonly (string | null | undefined)[]): string | undefined {
  const all = new Set(scopes.flatMap((scope) => (scope ?? "").split(" ").filter((one) => one !== "")));
  return all.size === 0 ? undefined : [...all].join(" ");
}
