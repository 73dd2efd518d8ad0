import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { binaryOf, findBinary } from "./installed-service.js";
import { PrivateServer } from "./private-server.js";

const run = promisify(execFile);
const user = process.getuid?.() === 0 ? ["--user=root"] : [];

export interface MariadbOptions {
  /** More of the server's options: `--max-allowed-packet=1M`. */
  readonly settings?: readonly string[];
}
export interface PrivateMariadb {
  readonly server: PrivateServer;
  /** `mysql://root@127.0.0.1:port/name`. `port`: of a proxy before it. */
  url(database: string, port?: number): string;
  /** A new, empty database; gives its name. */
  database(): Promise<string>;
  /** Runs SQL as root and gives what it printed, columns by tabs, without headers. */
  sql(text: string): Promise<string>;
  dispose(): Promise<void>;
}

/** A server that starts, or is installed, deletes the temporary tables that it finds in a common folder, those of its neighbours too. */
const ownTemporary = (folder: string): string => `--tmpdir=${folder}`;

/** A MariaDB of this test alone; root has no password. Wants `hasService("mariadb")`. Ready in about a second. */
export async function privateMariadb(o: MariadbOptions = {}): Promise<PrivateMariadb> {
  const binary = binaryOf("mariadb");
  const installer = findBinary(["mariadb-install-db", "mysql_install_db"]);
  const client = findBinary(["mariadb", "mysql"]);
  if (binary === null || installer === null || client === null) throw new Error("MariaDB is not installed.");
  const socketOf = (folder: string): string => join(folder, "s.sock");
  const ask = async (folder: string, text: string): Promise<string> => {
    const { stdout } = await run(client, ["--no-defaults", "-uroot", "-S", socketOf(folder), "-N", "-B", "-e", text]);
    return stdout;
  };
  const server = await PrivateServer.start({
    name: "mariadb",
    prepare: async (folder) => {
      const options = ["--skip-test-db", "--auth-root-authentication-method=normal", "--innodb-log-file-size=16M"];
      await run(installer, ["--no-defaults", ...user, ownTemporary(folder), `--datadir=${join(folder, "data")}`, ...options]);
    },
    command: ({ folder, port }) => [
      ...([binary, "--no-defaults", ...user] as const),
      ...[ownTemporary(folder), `--datadir=${join(folder, "data")}`, `--socket=${socketOf(folder)}`, `--pid-file=${join(folder, "pid")}`],
      ...[`--port=${port}`, "--bind-address=127.0.0.1", "--skip-name-resolve"],
      ...["--innodb-log-file-size=16M", "--innodb-buffer-pool-size=128M", "--max-connections=300", "--character-set-server=utf8mb4"],
      ...(o.settings ?? []),
    ],
    answers: async ({ folder }) => (await ask(folder, "select 1")).trim() === "1",
  });
  let made = 0;
  return {
    server,
    url: (database, port = server.port) => `mysql://root@127.0.0.1:${port}/${database}`,
    database: async () => {
      const name = `sallyport_${process.pid}_${++made}`;
      await ask(server.folder, `create database ${name}`);
      return name;
    },
    sql: (text) => ask(server.folder, text),
    dispose: () => server.dispose(),
  };
}
