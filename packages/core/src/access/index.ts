export { Access, type AccessOptions, type AccessServices, type AccessSnapshot } from "./access.js";
export { type AuthHook, type AuthRequest } from "./auth-hook.js";
export { isGranted, mayDo } from "./grants.js";
export { keyDigest, type KeyDigest } from "./key-digest.js";
export { ensureOwnerKey, OWNER_KEY_ID, refuseWeakOwnerKey, type OwnerKeyOptions } from "./owner-key.js";
export { purposeKeys, SECRET_BYTES, type KeyPurpose, type LateKey, type PurposeKeys } from "./purpose-keys.js";
export { readKeys } from "./read-keys.js";
