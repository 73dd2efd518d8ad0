import type { MediaBytes } from "../../../calls/index.js";
import { GatewayError } from "../../../errors/index.js";
import { invalid } from "../../../wire/shared/fields.js";
import type { Exchange } from "../../exchange.js";

/**
 * The fields of a form (`multipart/form-data`, RFC 7578), each of the right type or an error that names it. A list is a name given several times, with or without `[]` behind it, as the vendors' SDKs write
 * them. `rest` is what nobody asked for.
 */
export class Form {
  readonly #entries: readonly (readonly [string, string | Blob])[];
  readonly #read = new Set<string>();

  constructor(data: FormData) {
    this.#entries = [...data.entries()].map(([name, value]) => [name.replace(/\[\d*\]$/, ""), value]);
  }

  optionalText(name: string): string | undefined {
    const values = this.#all(name);
    if (values.length > 1) throw invalid(name, "is given twice");
    const value = values[0];
    if (value === undefined || typeof value === "string") return value === "" ? undefined : value;
    throw invalid(name, "must be a text, not a file");
  }
  text(name: string): string {
    return this.optionalText(name) ?? missing(name);
  }
  optionalNumber(name: string): number | undefined {
    const text = this.optionalText(name);
    if (text === undefined) return undefined;
    if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text);
    throw invalid(name, "must be a number");
  }
  optionalInteger(name: string): number | undefined {
    const value = this.optionalNumber(name);
    if (value === undefined || Number.isSafeInteger(value)) return value;
    throw invalid(name, "must be a whole number");
  }
  optionalFlag(name: string): boolean | undefined {
    const text = this.optionalText(name);
    if (text === undefined || text === "true" || text === "false") return text === undefined ? undefined : text === "true";
    throw invalid(name, "must be true or false");
  }
  texts(name: string): string[] {
    return this.#all(name).map((value) => {
      if (typeof value === "string") return value;
      throw invalid(name, "must be texts, not files");
    });
  }
  async files(name: string): Promise<MediaBytes[]> {
    return Promise.all(
      this.#all(name).map(async (value) => {
        if (typeof value === "string") throw invalid(name, "must be a file");
        const bytes = new Uint8Array(await value.arrayBuffer());
        const filename = (value as { readonly name?: string }).name;
        return {
          mediaType: value.type === "" ? "application/octet-stream" : value.type,
          bytes,
          ...(filename === undefined ? {} : { filename }),
        };
      }),
    );
  }
  async optionalFile(name: string): Promise<MediaBytes | undefined> {
    const files = await this.files(name);
    if (files.length > 1) throw invalid(name, "is given twice");
    return files[0];
  }
  async file(name: string): Promise<MediaBytes> {
    return (await this.optionalFile(name)) ?? missing(name);
  }

  /** Texts that nobody asked for, by name: a text, or a list of them. Errors: `validation_failed` for a file that nobody asked for. */
  rest(): Record<string, string | string[]> {
    const rest: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
    for (const name of new Set(this.#entries.map(([given]) => given))) {
      if (this.#read.has(name)) continue;
      const values = this.texts(name);
      rest[name] = values.length === 1 ? values[0]! : values;
    }
    return rest;
  }

  #all(name: string): (string | Blob)[] {
    this.#read.add(name);
    return this.#entries.filter(([given]) => given === name).map(([, value]) => value);
  }
}

function missing(name: string): never {
  throw invalid(name, "is missing");
}

/** Whether the body says that it is a form. */
export function isForm(x: Exchange): boolean {
  return /^multipart\/form-data\b/i.test(x.inbound.header("content-type") ?? "");
}

/** Reads a form of at most `server.maxBodyBytes`. Errors: `unsupported_media_type`, `payload_too_large`, `bad_request` for a body that is no form, `cancelled`. */
export async function readForm(x: Exchange): Promise<Form> {
  const type = x.inbound.header("content-type") ?? "";
  const encoding = x.inbound.header("content-encoding");
  if (!isForm(x) || (encoding !== undefined && encoding !== "" && encoding !== "identity"))
    throw new GatewayError("unsupported_media_type", "The body has to be a form, not compressed.", {
      hint: "Send Content-Type: multipart/form-data; the vendor's SDK does so by itself, curl with -F.",
    });
  const bytes = await x.inbound.body(x.maxBodyBytes);
  try {
    return new Form(await new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { "content-type": type } }).formData());
  } catch (error) {
    throw new GatewayError("bad_request", "The body is not the form that its Content-Type says.", {
      hint: "Let the HTTP library write the boundary: set no Content-Type by hand.",
      cause: error,
    });
  }
}
