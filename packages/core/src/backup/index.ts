export { Backups } from "./backups.js";
export { type BackupTrailer } from "./backup-lines.js";
export { exportStore, type ExportOptions } from "./export-store.js";
export { type DroppedReference, type ImportCounts, type ImportReport, type MissingSecrets, type RefusedRow } from "./import-report.js";
export { importStore, type ImportOptions, type OpenBackup } from "./import-store.js";
export { type Extra as BackupExtra } from "./what-moves.js";
