/** Seconds. Source: the bounds that OpenTelemetry's GenAI conventions advise for durations. */
export const DURATION_BOUNDS: readonly number[] = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];

/** How many values fell between the bounds, and what they sum to. */
export class Histogram {
  readonly bounds: readonly number[];
  /** One more than bounds: the last is above all of them. */
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[] = DURATION_BOUNDS) {
    this.bounds = bounds;
    this.counts = bounds.map(() => 0);
    this.counts.push(0);
  }

  observe(value: number): void {
    const { bounds, counts } = this;
    let at = 0;
    while (at < bounds.length && value > bounds[at]!) at++;
    counts[at]!++;
    this.sum += value;
    this.count++;
  }
}
