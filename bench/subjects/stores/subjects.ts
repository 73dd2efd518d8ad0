import { mysql } from "../../../packages/adapters-mysql/src/index.js";
import { sqlite } from "../../../packages/adapters-sqlite/src/index.js";
import { allEntities } from "../../../packages/core/src/entities/index.js";
import { memoryStore } from "../../../packages/core/src/memory/index.js";
import { ours } from "./ours.js";
import { rawMysql, rawSqlite } from "./raw-databases.js";
import { rawSql } from "./raw-sql.js";
import type { Workload } from "./workload.js";

/** Where a subject keeps its rows: a file, or a URL. */
export interface Place {
  readonly kind: "memory" | "sqlite" | "mysql" | "raw sqlite" | "raw mysql";
  readonly at: string;
}

const entities = allEntities;
const makers: Readonly<Record<Place["kind"], (at: string) => Promise<Workload>>> = {
  memory: () => ours(memoryStore()),
  sqlite: async (at) => ours(await sqlite(at).open({ entities })),
  mysql: async (at) => ours(await mysql(at).open({ entities })),
  "raw sqlite": async (at) => {
    await sqlite(at).migrate();
    return rawSql(rawSqlite(at));
  },
  "raw mysql": async (at) => {
    await mysql(at).migrate();
    return rawSql(rawMysql(at));
  },
};
export const openSubject = ({ kind, at }: Place): Promise<Workload> => makers[kind](at);
