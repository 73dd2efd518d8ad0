export { docRoutes } from "./doc-routes.js";
export { openApiDocument, tagOf, type DocumentOptions } from "./document.js";
export type { JsonObject } from "./json-schemas.js";
