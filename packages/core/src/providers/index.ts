export { demoProvider } from "./demo/demo-provider.js";
export { KeyPool, type KeyOptions, type ProviderKey } from "./key-pool.js";
export { download } from "./media/exchange.js";
export {
  type AskOptions,
  type EmbedInput,
  type Film,
  type GeneratedAnswer,
  type GenerateInput,
  type ImageInput,
  type ModelAsker,
  type SpeechInput,
  type TranscribeInput,
  type VideoInput,
  type VideoOptions,
} from "./model-asker.js";
export { Model, type ModelKind, type ModelOptions } from "./model.js";
export {
  type Download,
  type NativeBatch,
  type NativeBatches,
  type OperationContext,
  type ProviderOperations,
  type VideoFollowing,
} from "./operations.js";
export { type Amounts, type Prices } from "./prices.js";
export { defineProvider, Provider, type InProcess, type ListedModelOptions, type ProviderOptions, type Reach } from "./provider.js";
export { Models, Providers, type ProvidersOptions, type RefreshOptions } from "./providers.js";
export { type ModelsDiff } from "./refresh/refresh-models.js";
export { modelOptions, providerOptions, StoredProviders, type StoredRows } from "./stored/stored-providers.js";
export { isVendorId, vendorRows, type VendorId, type VendorRow } from "./vendor-rows.js";
