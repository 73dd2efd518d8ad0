import { pricesSchema, quirksSchema } from "../../config/schema.js";
import type { StoredModelRow, StoredProviderRow } from "../../entities/index.js";
import { GatewayError } from "../../errors/index.js";
import { Model, modelOptions, Provider, providerOptions, type Providers } from "../../providers/index.js";
import type { ResourceActions } from "../../seams/index.js";

/** What a stored provider has to be before it is kept: one that can be made, under a name that the configuration and code leave free. */
export function providerActions(providers: Providers): ResourceActions {
  return {
    check(given) {
      const row = given as unknown as StoredProviderRow;
      if (providers.isOurs(row.name))
        throw new GatewayError("conflict", `The provider "${row.name}" is of the configuration or of code, and counts instead.`, {
          hint: "Choose another name, or change it there.",
        });
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
