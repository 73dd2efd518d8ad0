import type { Json } from "../extras.js";

/** The frames of one response being streamed: numbers them, and gives each item its place in `output`. */
export class ResponseFrames {
  /** The items that are done, at their places. */
  readonly output: Json[] = [];
  #frames = "";
  #sequence = 0;
  #places = 0;

  /** One event; `type` and `sequence_number` are added. */
  add(type: string, fields: Json): void {
    const { type: _type, sequence_number: _number, ...rest } = fields;
    this.#frames += `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence++, ...rest })}\n\n`;
  }
  /** A new item: its place. */
  begin(item: Json): number {
    const place = this.#places++;
    this.add("response.output_item.added", { output_index: place, item });
    return place;
  }
  /** The item is whole. */
  done(place: number, item: Json): void {
    this.output[place] = item;
    this.add("response.output_item.done", { output_index: place, item });
  }
  /** What was added since the last call. */
  take(): string {
    const frames = this.#frames;
    this.#frames = "";
    return frames;
  }
}
