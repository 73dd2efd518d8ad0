import { GatewayError } from "../../errors/index.js";
import type { CallOptions } from "../../seams/index.js";
import type { Catalogue } from "../catalogue/catalogue.js";
import { fullName, locateUri, type Located, type View } from "../catalogue/view.js";
import { authoriseReading } from "../tool-policy.js";

/** More resources than this are not watched by one session or stream. */
const MAX_WATCHED = 1_000;

/** Errors: those of who looks at what a server is told; see `ToolPolicy.assertSayable`. */
export type AssertSayable = (o: CallOptions, at: Located) => Promise<void>;

interface Watch {
  readonly server: string;
  readonly uri: string;
  /** null: it is just being asked for. */
  stop: (() => void) | null;
}

/** The resources that one session or one listen stream watches, by the URI that its reader knows. */
export class Watches {
  readonly #catalogue: Catalogue;
  readonly #view: View;
  readonly #assertSayable: AssertSayable;
  readonly #watched = new Map<string, Watch>();

  constructor(o: { readonly catalogue: Catalogue; readonly view: View; readonly assertSayable: AssertSayable }) {
    this.#catalogue = o.catalogue;
    this.#view = o.view;
    this.#assertSayable = o.assertSayable;
  }

  /** As their reader knows them. */
  get uris(): readonly string[] {
    return [...this.#watched.keys()];
  }

  has(server: string, uri: string): boolean {
    for (const watch of this.#watched.values()) if (watch.server === server && watch.uri === uri) return true;
    return false;
  }

  /** Errors: `not_found`, `forbidden`, `unsupported_feature`, those of a lane and of guardrails. */
  async add(outer: string, o: CallOptions): Promise<void> {
    const located = locateUri(this.#view, outer);
    const upstream = located === null ? undefined : this.#catalogue.get(located.server);
    if (located === null || upstream === undefined) throw new GatewayError("not_found", "There is no such resource.");
    authoriseReading(o, fullName(located.server, located.name));
    if (this.#watched.has(outer)) return;
    if (this.#watched.size >= MAX_WATCHED)
      throw new GatewayError("overloaded", `No more than ${MAX_WATCHED} resources can be watched at once.`);
    const watch: Watch = { server: located.server, uri: located.name, stop: null };
    this.#watched.set(outer, watch);
    try {
      await this.#assertSayable(o, located);
      const stop = await upstream.watch(watch.uri, o);
      // Nobody wanted it any more.
      if (this.#watched.get(outer) !== watch) stop();
      else watch.stop = stop;
    } catch (error) {
      this.#watched.delete(outer);
      throw error;
    }
  }

  remove(outer: string): void {
    const watch = this.#watched.get(outer);
    if (watch === undefined) return;
    this.#watched.delete(outer);
    watch.stop?.();
  }

  clear(): void {
    for (const outer of [...this.#watched.keys()]) this.remove(outer);
  }
}
