import { cac } from "cac";
import { GatewayError } from "@sallyport/core";
import type { Command } from "./command.js";
import type { KeyOptions } from "./access/gateway-keys.js";
import type { UserOptions } from "./access/users.js";
import { ownVersion } from "./doctor/runtime.js";
import { printError } from "./print-error.js";
import { processTerminal, type Terminal } from "./terminal.js";

export interface MainOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly terminal?: Terminal;
}
type Options = Readonly<Record<string, unknown>>;

const FAILED = 1;
const MISUSED = 2;

/** Runs one command line, without `node` and the script; resolves to the exit code, never rejects. No command: `start`. */
export async function main(argv: readonly string[], o: MainOptions = {}): Promise<number> {
  const terminal = o.terminal ?? processTerminal();
  const verbose = argv.includes("--verbose");
  let code = 0;
  const run = (action: (command: Command, options: Options) => Promise<number>) => async (first: unknown, second?: Options) => {
    const options = second ?? (first as Options);
    const flags = {
      config: asText(options["config"]),
      data: asText(options["data"]),
      host: asText(options["host"]),
      port: asPort(options["port"]),
    };
    code = await action(
      { cwd: o.cwd ?? process.cwd(), env: o.env ?? process.env, terminal, verbose, flags },
      { ...options, action: first },
    );
  };
  try {
    const cli = commandLine(run);
    const known = cli.commands.map((command) => command.name);
    cli.parse(["node", "sallyport", ...withCommand(argv, known)], { run: false });
    await cli.runMatchedCommand();
    return code;
  } catch (error) {
    if ((error as Error | null)?.name !== "CACError") {
      printError(terminal, error, verbose);
      return FAILED;
    }
    terminal.err(`${terminal.paint.red("✖")} ${(error as Error).message}`);
    terminal.err(`  ${terminal.paint.green("→")} sallyport --help`);
    return MISUSED;
  }
}

function commandLine(
  run: (action: (command: Command, options: Options) => Promise<number>) => (first: unknown, second?: Options) => Promise<void>,
) {
  const cli = cac("sallyport");
  cli.usage("[command] [options]");
  cli.option("--config <file>", "Configuration file (SALLYPORT_CONFIG; sallyport.config.json)");
  cli.option("--data <folder>", "Where the database and the secret are kept (SALLYPORT_DATA; .sallyport)");
  cli.option("--verbose", "Show the stack of an error");
  const address = (command: ReturnType<typeof cli.command>) =>
    command.option("--host <host>", "Address to listen on (HOST; 127.0.0.1)").option("--port <port>", "Port to listen on (PORT; 4747)");

  address(cli.command("start", "Start the gateway (also without any command)")).action(
    run(async (command) => (await import("./start.js")).start(command)),
  );
  address(cli.command("doctor", "Explain what was found, and from where"))
    .option("--json", "Print the report as JSON")
    .action(run(async (command, options) => (await import("./doctor/doctor.js")).doctor(command, { json: options["json"] === true })));
  const targeted =
    (action: (command: Command, options: Options) => Promise<number>) => (first: unknown, target: unknown, options: Options) =>
      run(action)(first, { ...options, target });
  cli
    .command("keys [action] [id]", "Where the owner key comes from; `keys rotate` makes a new one; create, list, rotate <id>, revoke <id>")
    .option("--name <name>", "What the new key is called")
    .option("--scopes <scopes>", "models:openai/*,mcp:files__*,… (what callers use, without administration)")
    .option("--project <id>", "Its project (default)")
    .option("--environment <name>", "Stands in the key (live)")
    .option("--expires <when>", "90d, 12h, or a date (never)")
    .option("--rpm <count>", "Requests a minute (no limit)")
    .option("--overlap <duration>", "How long the key before stays valid after `rotate <id>` (0s)")
    .action(
      targeted(async (command, options) =>
        (await import("./access/keys.js")).keys(command, asText(options["action"]), keyOptions(options)),
      ),
    );
  cli
    .command("users [action] [name]", "People who sign in: `users add <name>`, `users list`")
    .option("--role <role>", "owner, admin, developer, viewer or billing (admin)")
    .option("--project <id>", "Where the role holds (default)")
    .option("--email <address>", "E-mail address")
    .option("--password-stdin", "Read the password from standard input (one is made and shown)")
    .action(
      targeted(async (command, options) =>
        (await import("./access/users.js")).users(command, asText(options["action"]), userOptions(options)),
      ),
    );
  cli
    .command("secrets [action]", "`secrets rotate`: a new key for the secrets in the database")
    .action(run(async (command, options) => (await import("./secrets.js")).secrets(command, asText(options["action"]))));
  configuring(cli, run);
  speaking(cli, run);
  moving(cli, run);
  cli
    .command("migrate", "Bring the database's tables up to date")
    .option("--sql", "Print the statements instead of running them")
    .action(run(async (command, options) => (await import("./migrate.js")).migrate(command, { sql: options["sql"] === true })));
  cli.help();
  cli.version(ownVersion());
  return cli;
}

type Run = Parameters<typeof commandLine>[0];

function configuring(cli: ReturnType<typeof cac>, run: Run): void {
  cli
    .command(
      "config [action] [key] [value]",
      "Settings that are changed while the gateway runs: list, get <key>, set <key> <value>, reset <key>",
    )
    .option("--json", "Print as JSON")
    .action((...given: readonly unknown[]) => {
      const [first, key, value, options] = given as readonly [unknown, unknown, unknown, Options];
      return run(async (command, all) =>
        (await import("./settings/settings.js")).settings(command, asText(all["action"]), {
          ...{ key: asText(all["key"]), value: asText(all["value"]), json: all["json"] === true },
        }),
      )(first, { ...options, key, value });
    });
}

function speaking(cli: ReturnType<typeof cac>, run: Run): void {
  cli
    .command(
      "mcp [action] [...rest]",
      "MCP here: `mcp serve` on standard input and output; list [query], call <tool> [json], probe <url>, probe -- <command>",
    )
    .option("--namespace <name>", "What `serve` shows (every server)")
    .option("--json", "Print as JSON")
    .action((...given: readonly unknown[]) => {
      const [first, rest, options] = given as readonly [unknown, readonly string[], Options];
      return run(async (command, all) => {
        const behind = Array.isArray(all["--"]) ? (all["--"] as readonly string[]) : [];
        const { mcp } = await import("./mcp/mcp.js");
        return mcp(command, asText(all["action"]), {
          namespace: asText(all["namespace"]),
          json: all["json"] === true,
          rest: [...rest.map(String), ...behind],
        });
      })(first, options);
    });
}

function moving(cli: ReturnType<typeof cac>, run: Run): void {
  cli
    .command("export [file]", "Everything in the database but its secrets, as one file (.gz: compressed); - for standard output")
    .option("--project <id>", "Only rows of this project (all)")
    .option("--with <extras>", "usage,audit,traces: ledgers; work: runs and tasks that are not done")
    .action(
      run(async (command, options) =>
        (await import("./backup/export.js")).exportTo(command, {
          ...{ file: asText(options["action"]), project: asText(options["project"]), with: asText(options["with"]) },
        }),
      ),
    );
  cli
    .command("import <file>", "Writes the rows of an export that are not there yet")
    .option("--dry-run", "Say what would be written, and write nothing")
    .option("--overwrite", "Rows that stand with other content take that of the file")
    .option("--project <id>", "Only rows of this project (all)")
    .action(
      run(async (command, options) =>
        (await import("./backup/import.js")).importFrom(command, {
          ...{ file: asText(options["action"]), project: asText(options["project"]) },
          ...{ dryRun: options["dryRun"] === true, overwrite: options["overwrite"] === true },
        }),
      ),
    );
}

function keyOptions(options: Options): KeyOptions {
  const text = (name: string): string | undefined => asText(options[name]);
  return {
    ...{ target: text("target"), name: text("name"), scopes: text("scopes"), project: text("project") },
    ...{ environment: text("environment"), expires: text("expires"), rpm: text("rpm"), overlap: text("overlap") },
  };
}

function userOptions(options: Options): UserOptions {
  const { role, project, email } = options;
  return {
    target: asText(options["target"]),
    role: asText(role),
    project: asText(project),
    email: asText(email),
    passwordStdin: options["passwordStdin"] === true,
  };
}

/** No command is `start`; a word that is none is an error, not an argument of `start`. */
function withCommand(argv: readonly string[], known: readonly string[]): readonly string[] {
  const [first] = argv;
  if (first === undefined) return ["start"];
  if (["-h", "--help", "-v", "--version"].includes(first) || known.includes(first)) return argv;
  if (first.startsWith("-")) return ["start", ...argv];
  throw new GatewayError("bad_request", `There is no command "${first}".`, {
    hint: `Commands are ${known.join(", ")}; see sallyport --help.`,
  });
}

function asText(value: unknown): string | undefined {
  return value === undefined || typeof value === "object" ? undefined : String(value as string | number | boolean);
}

function asPort(value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw new GatewayError("bad_request", "--port is not a port.", { hint: "Give a whole number from 0 to 65535; 0 takes any free port." });
}
