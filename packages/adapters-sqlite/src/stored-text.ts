// The driver reads text only up to its first NUL. Text that has one is kept with DLE as an escape: DLE 0 is NUL, DLE DLE is DLE.

const special = /[\0\x10]/;
const DLE = "\x10";

export const needsEscape = (text: string): boolean => special.test(text);
export const isEscaped = (text: string): boolean => text.includes(DLE);

export function toStored(text: string): string {
  return text.replaceAll(DLE, DLE + DLE).replaceAll("\0", `${DLE}0`);
}

export function fromStored(text: string): string {
  return text.replaceAll(/\x10(0|\x10)/g, (_, kind: string) => (kind === "0" ? "\0" : DLE));
}
