import type { z } from "zod";
import type { ProtocolId } from "../calls/index.js";
import type { ErrorCode } from "../errors/index.js";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a caller's grants must name: `what:name`. */
export interface Permission {
  readonly what: string;
  readonly name: string;
}

interface Listed {
  /** Stable, unique: the operation's id in every derived document. */
  readonly name: string;
  readonly method: Method;
  /** Matched exactly and case-sensitively, percent-encoding not undone. `{id}` is one segment, `{id+}` the rest of the path. */
  readonly path: string;
  readonly summary: string;
  /** Answered without a credential. Everything else is closed. */
  readonly open?: true;
  /** A page of another site may send a browser here, by a link or a redirect: what it brings is judged by the handler alone. */
  readonly navigable?: true;
  /** null: every caller may; what it sees is narrowed by its grants further in. */
  readonly permission: Permission | null;
  /** Matched only where no other route is: its parameters stand in places where others have words. */
  readonly last?: true;
  /** Beside those that every route may answer with: see `errorsOfEveryRoute`. */
  readonly errors: readonly ErrorCode[];
}

/** Fields of one part of a request; strict objects, so that an unknown field is refused. Query and headers arrive as text, numbers among them are read as numbers. */
type Fields = z.ZodObject;
type Output =
  | { readonly status: number; readonly kind: "json"; readonly schema: z.ZodType }
  /** A page for people, or a text for machines. */
  | { readonly status: number; readonly kind: "text"; readonly contentType: string; readonly schema: z.ZodString }
  /** `text/event-stream`: `id:` the sequence, `event:` the type, `data:` JSON of the schema. */
  | { readonly status: number; readonly kind: "events"; readonly schema: z.ZodType };

/** A route of our own REST face: JSON in snake_case both ways. */
export interface RestRoute extends Listed {
  readonly face: "rest";
  readonly params?: Fields;
  readonly query?: Fields;
  readonly headers?: Fields;
  /** `bodyOptional`: an empty body counts as {}. */
  readonly body?: z.ZodType;
  readonly bodyOptional?: true;
  readonly output: Output;
}
/** A route of a model vendor's dialect: bodies and errors are as that vendor has them. */
export interface DialectRoute extends Listed {
  readonly face: "dialect";
  readonly protocol: ProtocolId;
  /** Several vendors have this path: the caller's headers say whose dialect it speaks, and `protocol` is that of who says nothing. */
  readonly byHeaders?: true;
}
/** A route of the Model Context Protocol. */
export interface McpRoute extends Listed {
  readonly face: "mcp";
}
export type Route = RestRoute | DialectRoute | McpRoute;

export function restRoute<const R extends Omit<RestRoute, "face">>(route: R): R & { readonly face: "rest" } {
  return { ...route, face: "rest" };
}

type Parsed<S> = S extends z.ZodType ? z.output<S> : Record<string, never>;
/** What the handler of a route is given: every part checked against its schema. */
export interface RouteInput<R extends RestRoute> {
  readonly params: Parsed<R["params"]>;
  readonly query: Parsed<R["query"]>;
  readonly headers: Parsed<R["headers"]>;
  readonly body: Parsed<R["body"]>;
}
/** What the handler of a route gives back: the body, or the events. */
export type RouteOutput<R extends RestRoute> = R["output"] extends { kind: "events" }
  ? AsyncIterable<z.input<R["output"]["schema"]>>
  : z.input<R["output"]["schema"]>;

/** What a schema is given, for those who have no schema library. */
export type InputOf<S extends z.ZodType> = z.input<S>;
type Given<S> = S extends z.ZodType ? z.input<S> : undefined;
/** What a caller sends to a route: each part as it is before it is checked. */
export interface RouteCall<R extends RestRoute> {
  readonly params: Given<R["params"]>;
  readonly query: Given<R["query"]>;
  readonly body: Given<R["body"]>;
}
/** What a caller gets: the body, or one of its events. */
export type RouteAnswer<R extends RestRoute> = z.output<R["output"]["schema"]>;

/** What any closed route may answer with before its handler is reached. */
export const errorsOfEveryRoute: readonly ErrorCode[] = [
  "unauthenticated",
  "host_refused",
  "origin_refused",
  "bad_request",
  "validation_failed",
  "invalid_json",
  "payload_too_large",
  "unsupported_media_type",
  "store_unavailable",
  "shutting_down",
  "internal",
];
