import { project, role, roleBinding, team, user, type GatewayKeyRow } from "../entities/index.js";
import { KeyIndex } from "./keys/key-index.js";
import type { RecordsOfPeople } from "./people/people-index.js";

/** What of the snapshot says who there is; a Snapshot is one. */
export interface DirectorySnapshot {
  readonly keys: ReadonlyMap<string, GatewayKeyRow>;
  readonly records: RecordsOfPeople;
}

/** Keys and people of the newest snapshot that was looked at: indexed again only when one of them changed, not with every other record. */
export class Directory {
  #at: DirectorySnapshot | null = null;
  #index: KeyIndex | null = null;

  of(snapshot: DirectorySnapshot): KeyIndex {
    const at = this.#at;
    if (
      at !== null &&
      this.#index !== null &&
      at.keys === snapshot.keys &&
      (at.records === snapshot.records || samePeople(at.records, snapshot.records))
    )
      return this.#index;
    this.#at = { keys: snapshot.keys, records: snapshot.records };
    return (this.#index = new KeyIndex(snapshot.keys, snapshot.records));
  }
}

function samePeople(a: RecordsOfPeople, b: RecordsOfPeople): boolean {
  return (
    a.of(user) === b.of(user) &&
    a.of(team) === b.of(team) &&
    a.of(project) === b.of(project) &&
    a.of(role) === b.of(role) &&
    a.of(roleBinding) === b.of(roleBinding)
  );
}
