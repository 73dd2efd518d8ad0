import type { OAuthClientMetadata } from "@modelcontextprotocol/client";

export const CALLBACK_PATH = "/api/v1/admin/oauth/callback";
export const DOCUMENT_PATH = "/oauth/client-metadata";

/** What the gateway says of itself where it registers, and in its metadata document. */
export function clientMetadata(redirectUri: string, publicUrl: string | undefined): OAuthClientMetadata {
  return {
    client_name: "Sallyport",
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
    application_type: "web",
    ...(publicUrl === undefined ? {} : { client_uri: publicUrl }),
  };
}

/** The address of the document, which is the client's id too; null: it has to be https, and nobody said how the gateway is reached. Source: Client ID Metadata Document, §3. */
export function documentUrl(publicUrl: string | undefined): string | null {
  if (publicUrl === undefined || new URL(publicUrl).protocol !== "https:") return null;
  return `${publicUrl.replace(/\/+$/, "")}${DOCUMENT_PATH}`;
}

/** The document itself. null: there is none. */
export function clientDocument(publicUrl: string | undefined): Readonly<Record<string, unknown>> | null {
  const url = documentUrl(publicUrl);
  if (url === null || publicUrl === undefined) return null;
  return { client_id: url, ...clientMetadata(`${publicUrl.replace(/\/+$/, "")}${CALLBACK_PATH}`, publicUrl) };
}
