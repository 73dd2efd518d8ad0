import type { Citation } from "../../calls/index.js";
import { isObject } from "../../util/json.js";
import { asExtras, messagesExtras } from "./extras.js";

type Json = Record<string, unknown>;

/**
 * A citation of a text block. Here it belongs to the whole block, so it has no place of its own in the text; the numbers in it are places in the source, and stay
 * in the extras.
 */
export function decodeCitation(value: unknown): Citation | null {
  if (!isObject(value)) return null;
  const { url, title, document_title: documentTitle, cited_text: citedText, source, ...own } = value;
  const named = typeof title === "string" ? { title } : typeof documentTitle === "string" ? { title: documentTitle } : {};
  const address =
    typeof url === "string" ? { url } : typeof source === "string" && own["type"] === "search_result_location" ? { url: source } : {};
  return { ...address, ...named, ...(typeof citedText === "string" ? { citedText } : {}), ...asExtras(own) };
}

/** The same back; one of another protocol as what the vendor's own search would say. */
export function encodeCitation(citation: Citation): Json {
  const own = messagesExtras(citation);
  const title = citation.title ?? null;
  const cited = { cited_text: citation.citedText ?? "" };
  switch (own["type"]) {
    case "char_location":
    case "page_location":
    case "content_block_location":
      return { ...own, ...cited, document_title: title };
    case "search_result_location":
      return { ...own, ...cited, source: citation.url ?? "", title };
    default:
      return { type: "web_search_result_location", encrypted_index: "", ...own, ...cited, url: citation.url ?? "", title };
  }
}

/** One that the vendor would take back: it verifies what its own search found. */
export function isOwnCitation(citation: Citation): boolean {
  const own = messagesExtras(citation);
  return typeof own["type"] === "string" && own["encrypted_index"] !== "";
}
