import { pricesSchema, quirksSchema } from "../../config/schema.js";
import { storedProviderKey, type StoredModelRow, type StoredProviderKeyRow, type StoredProviderRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { Model, modelOptions, Provider, providerOptions, type Providers } from "../../providers/index.js";
import type { RecordStore } from "../../ports/index.js";
import type { ResourceActions } from "../../seams/index.js";

/** What a stored provider has to be before it is kept: one that can be made, under a name that the configuration and code leave free. */
export function providerActions(providers: Providers, store: RecordStore): ResourceActions {
  return {
    async check(given, o, before) {
      const row = given as unknown as StoredProviderRow;
      if (providers.isOurs(row.name))
        throw new GatewayError("conflict", `The provider "${row.name}" is of the configuration or of code, and counts instead.`, {
          hint: "Choose another name, or change it there.",
        });
      if (before !== null) await refuseToLead(row, { before: before as unknown as StoredProviderRow, store, deadlineMs: o.deadlineMs });
      refuseUnless(quirksSchema, row.quirks, "quirks");
      try {
        // A key is no reason to refuse: it is sealed by now, and not looked at.
        void new Provider({ ...providerOptions(row), apiKey: "any" });
      } catch (error) {
        const { message, hint } = GatewayError.from(error);
        throw new GatewayError("validation_failed", message, hint === undefined ? {} : { hint });
      }
    },
  };
}

/** A key that was put aside comes back only with its value: whoever changed the provider's address meanwhile is not given it. */
export function providerKeyActions(): ResourceActions {
  return {
    check(given, _o, before) {
      const row = given as unknown as StoredProviderKeyRow;
      if (before === null || before["enabled"] === true || !row.enabled || row.value !== before["value"]) return;
      throw new GatewayError("validation_failed", "value: is needed again to enable the key.", { details: { field: "value" } });
    },
  };
}

/** Credentials go where they were given for: another address, or another header, takes them anew. Errors: `validation_failed`. */
async function refuseToLead(
  row: StoredProviderRow,
  o: { readonly before: StoredProviderRow; readonly store: RecordStore; readonly deadlineMs: number },
): Promise<void> {
  const { before } = o;
  if (row.baseUrl === before.baseUrl && JSON.stringify(row.auth) === JSON.stringify(before.auth)) return;
  if (row.apiKey !== null && row.apiKey === before.apiKey)
    throw new GatewayError("validation_failed", "api_key: is needed again when base_url or auth changes, since it would go elsewhere.", {
      details: { field: "api_key" },
    });
  const where = { provider: row.name };
  const keys = await o.store.find(
    storedProviderKey,
    { where, orderBy: "id", limit: 1_000 },
    { system: "keys of a provider that moves" },
    o,
  );
  if (!keys.rows.some(({ enabled }) => enabled)) return;
  throw new GatewayError("validation_failed", "base_url, auth: the provider has further keys, which would go elsewhere.", {
    hint: "Disable or delete them first; enabling one takes its value again.",
    details: { field: "base_url" },
  });
}

/** What a stored model has to be before it is kept. */
export function modelActions(): ResourceActions {
  return {
    check(given) {
      const row = given as unknown as StoredModelRow;
      refuseUnless(pricesSchema, row.prices, "prices");
      void new Model({ ...modelOptions(row), provider: row.provider } as ConstructorParameters<typeof Model>[0]);
    },
  };
}

function refuseUnless(schema: typeof pricesSchema | typeof quirksSchema, value: unknown, field: string): void {
  const parsed = value === null ? null : schema.safeParse(value);
  if (parsed === null || parsed.success) return;
  const [issue] = parsed.error.issues;
  const place = [field, ...(issue?.path ?? [])].join(".");
  throw new GatewayError("validation_failed", `${place}: ${issue?.message ?? "is not valid"}`, { details: { field: place } });
}
