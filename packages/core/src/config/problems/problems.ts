import { GatewayError } from "../../errors/index.js";
import { formatPath, type ConfigPath } from "../config-path.js";

/** Where a value came from. `variables` are those that `${…}` in it named. */
export type Source =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly file: string; readonly variables?: readonly string[] | undefined }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "database"; readonly key: string }
  | { readonly kind: "code"; readonly variables?: readonly string[] | undefined };

/** One thing that is wrong with a configuration. Never holds a value that could be a secret. */
export interface Problem {
  readonly path: ConfigPath;
  /** What was found and what is expected. */
  readonly what: string;
  /** One step that mends it. */
  readonly fix: string;
  readonly source?: Source | undefined;
}

/** For people: "sallyport.config.json", "the environment variable PORT". Empty for code and defaults, which name no place. */
export function describeSource(source: Source | undefined): string {
  switch (source?.kind) {
    case "file":
      return source.variables === undefined ? source.file : `${source.file}, from ${source.variables.join(", ")}`;
    case "environment":
      return `the environment variable ${source.variable}`;
    case "database":
      return `the stored setting ${source.key}`;
    case "code":
      return source.variables === undefined ? "" : `from ${source.variables.join(", ")}`;
    default:
      return "";
  }
}

/** `invalid_config` that lists every problem: path, source, what is wrong, the fix. */
export function configError(problems: readonly Problem[]): GatewayError {
  const lines = problems.map((problem) => {
    const where = describeSource(problem.source);
    const path = problem.path.length === 0 ? "the whole" : formatPath(problem.path);
    return `${path}${where === "" ? "" : ` (${where})`}: ${problem.what}`;
  });
  const first = problems[0];
  const single = problems.length === 1 && first !== undefined;
  const message = single
    ? `The configuration is not valid. ${lines[0]}.`
    : `The configuration has ${problems.length} problems.${lines.map((line, i) => `\n  - ${line}. ${capital(problems[i]?.fix ?? "")}`).join("")}`;
  return new GatewayError("invalid_config", message, {
    hint: single ? capital(first.fix) : "Mend each line above; all of them were found in one pass.",
    details: {
      problems: problems.map((problem) => ({
        path: formatPath(problem.path),
        what: problem.what,
        fix: problem.fix,
        source: describeSource(problem.source) || (problem.source?.kind ?? "code"),
      })),
    },
  });
}

function capital(sentence: string): string {
  const text = sentence.charAt(0).toUpperCase() + sentence.slice(1);
  return /[.?!]$/.test(text) || text === "" ? text : `${text}.`;
}
