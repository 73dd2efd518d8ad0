import { expect, it } from "vitest";
import { settingKeys, startKeys, type SettingKey } from "../../src/config/runtime/index.js";
import { loadConfig } from "../../src/config/load-config.js";
import { formatPath, valueAt } from "../../src/config/config-path.js";
import { shownValue } from "../../src/config/effective.js";

const usual = loadConfig({}).config;
const text = (value: unknown): string => {
  if (value === undefined) return "";
  return `\`${typeof value === "object" ? JSON.stringify(value) : String(shownValue(value, [], undefined))}\``;
};
const defaultOf = ({ path, times }: SettingKey): string => {
  const value = valueAt(usual, path);
  return text(times === 1 || value === undefined ? value : (value as number) / times);
};
const row = (...cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

it("docs/reference/settings.md lists every setting (written anew by `vitest -u`)", async () => {
  const changeable = settingKeys.map((setting) =>
    row(`\`${setting.key}\``, setting.expected, setting.unit ?? "", defaultOf(setting), setting.description),
  );
  const others = startKeys.map(({ key, path, fixed }) => row(`\`${key}\``, `\`${formatPath(path)}\``, fixed!));
  const page = [
    "# Settings",
    "",
    "Written by the tests from the table of settings; [how they are changed](../how-to/runtime-configuration.md).",
    "",
    "## What can be changed while the gateway runs",
    "",
    "Each stands in the [configuration](configuration.md) too, at the same path in camelCase. Of the keys of one path the first here that is stored counts.",
    "",
    row("key", "takes", "unit", "default", "what it is"),
    row("---", "---", "---", "---", "---"),
    ...changeable,
    "",
    "## What is read at the start",
    "",
    row("key", "in the configuration", "why it is not changed while the gateway runs"),
    row("---", "---", "---"),
    ...others,
    "",
  ];
  await expect(page.join("\n")).toMatchFileSnapshot("../../../../docs/reference/settings.md");
});
