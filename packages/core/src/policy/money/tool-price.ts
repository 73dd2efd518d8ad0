import type { CallHead, ToolHead } from "../../calls/index.js";
import type { Config } from "../../config/schema.js";
import { GatewayError } from "../../errors/index.js";
import type { OpenCall } from "../step.js";

/** Amounts in 10^-12 dollars. */
interface ToolPrice {
  readonly perCall: bigint;
  readonly perInputToken: bigint;
  readonly perOutputToken: bigint;
  readonly chargeErrors: boolean;
}

const PLACES = 12;
const UNITS_PER_NANO = 1_000n;
const BYTES_PER_TOKEN = 4;
/** What a result is taken to have at the most before it is there. */
const WORST_RESULT_TOKENS = 8_192;

const compiled = new WeakMap<Config, ReadonlyMap<string, ToolPrice>>();

/** The price of a server's calls; undefined: it has none. */
export function toolPriceOf(config: Config, server: string): ToolPrice | undefined {
  let prices = compiled.get(config);
  if (prices === undefined) compiled.set(config, (prices = compile(config)));
  return prices.size === 0 ? undefined : prices.get(server);
}

/** What is read rather than called has no price. */
export function isReading({ operation }: ToolHead): boolean {
  return operation !== undefined && operation !== "call";
}

/** What a call may cost at the most, nano-US-dollars. */
export function worstToolCase(price: ToolPrice, head: ToolHead): number {
  return nano(price, head.bytes, WORST_RESULT_TOKENS * BYTES_PER_TOKEN);
}

/** Notes what a tool call cost, once its result is there. Tokens are a quarter of the bytes. A result that is an error costs nothing unless `chargeErrors` says so. Nothing for a server without a price. */
export function noteToolCost(call: OpenCall<CallHead>, result: { readonly bytes: number; readonly isError: () => boolean }): void {
  const { head } = call;
  if (head.kind !== "tool") return;
  const price = toolPriceOf(call.snapshot.config, head.server);
  if (price === undefined) return;
  const isFree = !price.chargeErrors && result.isError();
  call.meter.note({}, isFree ? 0 : nano(price, head.bytes, result.bytes));
}

/** Multiplied exactly, rounded once, half up. */
function nano(price: ToolPrice, inputBytes: number, outputBytes: number): number {
  const tokens = (bytes: number) => BigInt(Math.ceil(bytes / BYTES_PER_TOKEN));
  const sum = price.perCall + tokens(inputBytes) * price.perInputToken + tokens(outputBytes) * price.perOutputToken;
  return Number((sum + UNITS_PER_NANO / 2n) / UNITS_PER_NANO);
}

function compile(config: Config): ReadonlyMap<string, ToolPrice> {
  const prices = new Map<string, ToolPrice>();
  for (const [server, { prices: given }] of Object.entries(config.mcpServers ?? {})) {
    if (given === undefined) continue;
    prices.set(server, {
      perCall: unitsOf(given.perCall),
      perInputToken: unitsOf(given.perInputToken),
      perOutputToken: unitsOf(given.perOutputToken),
      chargeErrors: given.chargeErrors ?? false,
    });
  }
  return prices;
}

function unitsOf(amount: string | number | undefined): bigint {
  if (amount === undefined) return 0n;
  const text = typeof amount === "number" && String(amount).includes("e") ? amount.toFixed(PLACES) : String(amount);
  const match = /^(\d{1,9})(?:\.(\d{1,12}))?$/.exec(text);
  if (match === null || (typeof amount === "number" && Number(text) !== amount))
    throw new GatewayError("validation_failed", `"${text.slice(0, 40)}" is not a price.`, {
      hint: "Write dollars as a decimal with at most 12 places, such as 0.001.",
    });
  return BigInt(match[1]! + (match[2] ?? "").padEnd(PLACES, "0"));
}
