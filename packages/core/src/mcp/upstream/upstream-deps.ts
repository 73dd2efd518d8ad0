import type { Snapshot } from "../../config/snapshot.js";
import type { Clock, HttpClient, McpSpawner } from "../../ports/index.js";
import type { Log } from "../../util/log.js";
import type { ServerTarget } from "../server-target.js";
import type { RpcMessage } from "../frames/message.js";
import type { ListKind } from "./list-entries.js";
import type { Entries } from "./server-lists.js";

/** What bounds the traffic with upstream servers. */
export interface McpLimits {
  /** A connection attempt, start of the process and handshake included. 30 s. */
  readonly connectMs: number;
  /** Reading one list of a server. 15 s. */
  readonly listMs: number;
  /** How long a listing waits for servers whose first connection attempt is under way, counted from its begin. 5 s. */
  readonly startMs: number;
  /** One message from a server over HTTP; the spawner has its own for child processes. 64 MiB. */
  readonly maxMessageBytes: number;
}

/** `isPartial`: it is what one user is shown; others may be shown more. */
export interface Vetting {
  readonly isPartial: boolean;
}

/** What every upstream is made with. */
export interface UpstreamDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly snapshot: () => Snapshot;
  /** Takes every secret that this gateway knows out of a text. */
  readonly redact: (text: string) => string;
  readonly http: HttpClient;
  readonly spawner: McpSpawner | undefined;
  /** A text file of this machine, null when there is none; left out where there are no files. Only for what the operator named. */
  readonly readFile?: ((path: string) => Promise<string | null>) | undefined;
  /** Of this gateway, told to servers. */
  readonly version: string;
  readonly limits: McpLimits;
  /** The target as it is dialled: with who the gateway is there. Left out: as it stands. */
  readonly prepare?: ((server: string, target: ServerTarget) => ServerTarget) | undefined;
  /** A server is there no longer. */
  readonly forgotten?: ((server: string) => void) | undefined;
  /** A server's tools were read and are about to be shown; when it rejects, those shown before stay. */
  readonly vet?: ((server: string, tools: Entries, o?: Vetting) => Promise<void>) | undefined;
  /** An equal list that is kept already, to be kept in the place of this one. */
  readonly known?: ((kind: ListKind, entries: Entries) => Entries) | undefined;
  /** A list was read, changed or not. `isPublic`: its server says that it is the same for everybody. */
  readonly onRead?: ((kind: ListKind, o: { readonly isPublic: boolean }) => void) | undefined;
  /** `whose`: the one principal that is shown it; left out: everybody. */
  readonly onListChanged: (server: string, kind: ListKind, whose?: string) => void;
  /** Entries of a list that no client could use are not in it; `why` says it of some. */
  readonly onLeftOut?:
    | ((server: string, kind: ListKind, o: { readonly count: number; readonly why: readonly string[] }) => void)
    | undefined;
  readonly onStatus: (server: string, connected: boolean, error: string | null) => void;
  /** `whose`: the one principal whose connection said it; left out: everybody's. */
  readonly onResourceUpdated: (server: string, notice: RpcMessage, whose?: string) => void;
  readonly onLog: (server: string, owner: string, notice: RpcMessage) => void;
}
