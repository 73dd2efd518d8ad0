import { GatewayError } from "../../errors/index.js";
import { resources } from "../../routes/index.js";
import { nearest } from "../../util/nearest.js";
import type { Handler } from "../exchange.js";
import { decodeParam } from "../faces/params.js";

/** Answers a type that the resource API has not, with the nearest one. `list` takes the plural, all else the singular. */
export function unknownType(names: "plural" | "type"): Handler {
  return (x) => {
    const type = decodeParam(x.params, "type").slice(0, 100);
    const known = resources.map(({ traits }) => traits[names]);
    const meant = nearest(type, known);
    const all = `Types are ${known.join(", ")}.`;
    throw new GatewayError("unknown_resource_type", "The resource API has no such type here.", {
      hint: meant === null || meant === type ? all : `Did you mean ${meant}? ${all}`,
    });
  };
}
