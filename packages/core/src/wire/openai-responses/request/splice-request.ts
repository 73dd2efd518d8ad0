import { spliceModel } from "../../shared/requests/splice-model.js";

export const responsesPath = "/responses";

/** `Codec.spliceRequest` of Responses. */
export const spliceRequest = spliceModel(responsesPath);
