import { mayCallModel, mayDo } from "../access/grants.js";
import type { OperationName, ProtocolId } from "../calls/index.js";
import { GatewayError } from "../errors/index.js";
import type { Model, ModelKind, Provider } from "../providers/index.js";
import type { ListedModel } from "../seams/index.js";
import { resolve, type Names } from "./resolve.js";

type Speaks = (protocol: ProtocolId) => boolean;

/** What the caller may call and this version can: chat models of providers whose protocol is spoken, models of what their provider does beside chat, and routes; sorted by id. */
export function listModels(names: Names, speaks: Speaks): readonly ListedModel[] {
  const listed: ListedModel[] = [];
  for (const model of names.providers.models.list()) {
    const entry = listedModel(model, names, speaks);
    const seen = entry === null || names.providers.models.isRetired(model) ? null : ifGranted(entry, names);
    if (seen !== null) listed.push(seen);
  }
  for (const route of names.routes.keys())
    if (mayDo(names.caller, "models", `route/${route}`)) listed.push(listedRoute(`route/${route}`, names));
  return listed.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** null: the caller may not call it. */
function ifGranted(model: ListedModel, names: Names): ListedModel | null {
  const { id, aliases = [] } = model;
  return mayCallModel(names.caller, aliases.length === 0 ? { name: id } : { name: id, names: [id, ...aliases] }) ? model : null;
}

/**
 * One of those by its name in full, a bare id or an alias; null when the caller may not see it, or nobody listed it.
 * Errors: `model_not_found` for one that its vendor retired, naming the successor.
 */
export function findModel(name: string, names: Names, speaks: Speaks): ListedModel | null {
  try {
    const resolution = resolve(name, names);
    if (!mayCallModel(names.caller, resolution)) return null;
    if (name.startsWith("route/")) return listedRoute(name, names);
    const { model } = resolution.targets[0]!;
    const entry = model === null ? null : listedModel(model, names, speaks);
    return entry === null ? null : ifGranted(entry, names);
  } catch (error) {
    const retired = GatewayError.is(error, "model_not_found") && error.details?.["retired_at"] !== undefined;
    if (retired && mayDo(names.caller, "models", String(error.details?.["model"]))) throw error;
    if (GatewayError.is(error, "model_not_found") || GatewayError.is(error, "misconfigured")) return null;
    throw error;
  }
}

function listedModel(model: Model, names: Names, speaks: Speaks): ListedModel | null {
  const provider = names.providers.get(model.provider)!;
  if (!canBeAsked(model, provider, speaks)) return null;
  return {
    id: model.id,
    provider: model.provider,
    createdAtMs: model.releasedAtMs ?? names.providers.models.knownSinceMs,
    ownedBy: provider.ownedBy,
    title: model.title,
    contextTokens: model.contextTokens,
    maxOutputTokens: model.maxOutputTokens,
    kind: model.kind,
    features: model.features,
    inputFormats: model.inputFormats,
    outputFormats: model.outputFormats,
    aliases: model.aliases.map((alias) => `${model.provider}/${alias}`),
    deprecated: model.deprecated,
    retiresAtMs: model.retiresAtMs,
    successor: model.successor === null ? null : `${model.provider}/${model.successor}`,
  };
}

/** What a model is asked for that does something else than chat. */
const operationOf: Readonly<Record<Exclude<ModelKind, "chat">, OperationName>> = {
  ...{ embedding: "embed", image: "image", speech: "speech", music: "speech", transcription: "transcribe", video: "video" },
  classifier: "moderate",
};

/** Whether this version can do with the model what it is for. */
function canBeAsked({ kind }: Model, { reach, operations }: Provider, speaks: Speaks): boolean {
  if (kind !== "chat" && operations[operationOf[kind]] !== undefined) return true;
  if (kind !== "chat" && kind !== "embedding") return false;
  return reach.kind === "in-process" ? kind === "chat" : reach.protocols.some(speaks);
}

function listedRoute(id: string, names: Names): ListedModel {
  const createdAtMs = names.providers.models.knownSinceMs;
  return { id, provider: "route", createdAtMs, ownedBy: "sallyport", title: id, contextTokens: null, maxOutputTokens: null };
}
