import { spliceModel } from "../../shared/requests/splice-model.js";

/** Behind a base URL without a version. */
export const messagesPath = "/v1/messages";

/** `Codec.spliceRequest` of Messages. */
export const spliceRequest = spliceModel(messagesPath);
