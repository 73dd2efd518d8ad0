import { spawn, type ChildProcess } from "node:child_process";

/**
 * Reads "+pgid" and "-pgid" lines; when its input ends, this process is gone, however it went: the groups that are left get SIGTERM, and two seconds later SIGKILL. A group that is gone meanwhile is
 * passed over, so that a number given to somebody else is not hit later than it would be otherwise.
 */
const SCRIPT = `
groups=""
while read -r line; do
  pgid=\${line#?}
  case $line in
    +*) groups="$groups $pgid" ;;
    -*) left=""; for g in $groups; do [ "$g" = "$pgid" ] || left="$left $g"; done; groups=$left ;;
  esac
done
[ -z "$groups" ] && exit 0
for g in $groups; do kill -TERM -"$g" 2>/dev/null; done
left=$groups
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  groups=$left; left=""
  for g in $groups; do kill -0 -"$g" 2>/dev/null && left="$left $g"; done
  [ -z "$left" ] && exit 0
  sleep 0.1
done
for g in $left; do kill -KILL -"$g" 2>/dev/null; done
`;

/**
 * A small shell beside this process that outlives it, to end the process groups of its servers: also when it is killed so that it can do nothing itself. It holds nothing else, and ends with the last of them. Where
 * there is no `sh`, it does nothing.
 */
export class GroupWatch {
  #shell: ChildProcess | null = null;
  #groups = 0;

  add(pgid: number): void {
    if (process.platform === "win32") return;
    this.#groups++;
    this.#shell ??= this.#start();
    this.#tell(`+${pgid}`);
  }

  /** The group is gone. */
  remove(pgid: number): void {
    if (process.platform === "win32") return;
    this.#groups--;
    this.#tell(`-${pgid}`);
    if (this.#groups > 0) return;
    this.#shell?.stdin?.end();
    this.#shell = null;
  }

  #start(): ChildProcess {
    // A session of its own: what ends our group does not end it.
    const shell = spawn("/bin/sh", ["-c", SCRIPT], {
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
      env: { PATH: process.env["PATH"] ?? "" },
    });
    shell.once("error", () => undefined);
    shell.stdin.on("error", () => undefined);
    shell.once("exit", () => {
      if (this.#shell === shell) this.#shell = null;
    });
    // Neither keeps this process alive.
    shell.unref();
    (shell.stdin as unknown as { unref?: () => void }).unref?.();
    return shell;
  }

  #tell(line: string): void {
    const stdin = this.#shell?.stdin;
    if (stdin?.writable === true) stdin.write(`${line}\n`);
  }
}
