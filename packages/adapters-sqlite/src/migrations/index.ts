// Made by tools/make-migration.mjs --embed from migrations/*.sql.
import type { Migration } from "@sallyport/sql";
import { text as text1 } from "./0001-initial.js";
import { text as text2 } from "./0002-opaque-tokens.js";
import { text as text3 } from "./0003-routes.js";
import { text as text4 } from "./0004-stored-responses.js";
import { text as text5 } from "./0005-usage-detail.js";
import { text as text6 } from "./0006-vendor-objects.js";
import { text as text7 } from "./0007-usage-tried.js";
import { text as text8 } from "./0010-access.js";
import { text as text9 } from "./0011-idempotency-keys.js";
import { text as text10 } from "./0012-limits.js";
import { text as text11 } from "./0013-money.js";
import { text as text12 } from "./0014-guardrails.js";
import { text as text13 } from "./0015-telemetry.js";
import { text as text14 } from "./0016-data-keys.js";
import { text as text15 } from "./0017-approvals.js";
import { text as text16 } from "./0018-providers.js";

export const shippedMigrations: readonly Migration[] = [
  { id: "0001_initial", text: text1 },
  { id: "0002_opaque_tokens", text: text2 },
  { id: "0003_routes", text: text3 },
  { id: "0004_stored_responses", text: text4 },
  { id: "0005_usage_detail", text: text5 },
  { id: "0006_vendor_objects", text: text6 },
  { id: "0007_usage_tried", text: text7 },
  { id: "0010_access", text: text8 },
  { id: "0011_idempotency_keys", text: text9 },
  { id: "0012_limits", text: text10 },
  { id: "0013_money", text: text11 },
  { id: "0014_guardrails", text: text12 },
  { id: "0015_telemetry", text: text13 },
  { id: "0016_data_keys", text: text14 },
  { id: "0017_approvals", text: text15 },
  { id: "0018_providers", text: text16 },
];
