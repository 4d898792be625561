/**
 * Endpoints of the API: one description of each makes its route, reads its
 * query and body, and documents it in the OpenAPI document, so that the three
 * cannot differ.
 */
import { type ErrorCode, parseRequest } from "@everframe/protocol";
import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { z } from "zod";
import { readJson } from "./json-body.ts";

export type Method = "get" | "post" | "patch" | "delete";

/** A good answer: JSON by a schema, content of a media type, or nothing at all. */
export type AnswerBody = { schema: z.ZodType } | { type: string } | "empty";

type None = z.ZodType<undefined>;

export type Endpoint<Query extends z.ZodType = None, Body extends z.ZodType = None> = {
  method: Method;
  /** With parameters as `:name`; `*` at the end takes the rest, slashes included, as `rest`. */
  path: string;
  tag: string;
  /** What it does, one sentence. */
  summary: string;
  /** What a reader should know beside it. */
  description?: string;
  query?: Query;
  /** Of a JSON body. */
  body?: Body;
  /** The media type of a body that is no JSON. */
  upload?: string;
  /** The good answers by their status. */
  answers: Record<number, { text: string; body: AnswerBody }>;
  /** What it may be refused with, beside `invalid_request` where it reads something. */
  errors?: readonly ErrorCode[];
};

export type Request<Query extends z.ZodType, Body extends z.ZodType> = {
  query: z.output<Query>;
  body: z.output<Body>;
  /** A part of the path, decoded. */
  param(name: string): string;
  c: Context;
};

/** Without the types of its own schemas, as the document reads it. */
export type AnyEndpoint = Endpoint<z.ZodType, z.ZodType>;

export class Endpoints {
  readonly #app: Hono;
  readonly #all: AnyEndpoint[] = [];
  readonly #patterns: RegExp[] = [];

  constructor(app: Hono) {
    this.#app = app;
  }

  /** In the order in which they were added. */
  get all(): readonly AnyEndpoint[] {
    return this.#all;
  }

  /** The methods that a path can be asked with, as HTTP spells them; none for a path that is no endpoint's. */
  methodsOf(path: string): string[] {
    const methods = this.#all.filter((_, i) => this.#patterns[i]!.test(path)).map((one) => one.method.toUpperCase());
    return methods.includes("GET") ? [...methods, "HEAD"] : methods;
  }

  /** The path as the first endpoint that matches it writes it. */
  patternOf(path: string): string | undefined {
    return this.#all[this.#patterns.findIndex((pattern) => pattern.test(path))]?.path;
  }

  /**
   * Adds an endpoint. What the handler returns becomes a JSON answer with the
   * first status of `answers`, undefined an empty one; it may also be a whole
   * response. What it throws is answered by the application.
   */
  add<Query extends z.ZodType = None, Body extends z.ZodType = None>(
    endpoint: Endpoint<Query, Body>,
    handle: (request: Request<Query, Body>) => Promise<object | undefined> | object | undefined,
  ): void {
    this.#all.push(endpoint as AnyEndpoint);
    this.#patterns.push(patternOf(endpoint.path));
    const { query, body, path } = endpoint;
    const status = Number(Object.keys(endpoint.answers)[0]);
    this.#app.on(endpoint.method.toUpperCase(), path.replace(/\*$/, ":rest{.+}"), async (c) => {
      const answer = await handle({
        query: (query === undefined ? undefined : parseRequest(query, c.req.query(), ["query"])) as z.output<Query>,
        body: (body === undefined ? undefined : parseRequest(body, await readJson(c.req))) as z.output<Body>,
        param: (name) => c.req.param(name) ?? "",
        c,
      });
      if (answer instanceof Response) return answer;
      if (answer === undefined) return c.body(null, status as 204);
      return c.json(answer, status as ContentfulStatusCode);
    });
  }
}

function patternOf(path: string): RegExp {
  const source = path.replace(/[.]/g, "\\.").replace(/:\w+/g, "[^/]+").replace(/\*$/, ".+");
  return new RegExp(`^${source}$`);
}
