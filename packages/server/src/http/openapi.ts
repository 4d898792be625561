/**
 * The OpenAPI document (https://spec.openapis.org/oas/v3.1.1) of the
 * endpoints, from the schemas that read their requests.
 */
import * as protocol from "@everframe/protocol";
import { ERRORS, type ErrorCode, toJsonSchema } from "@everframe/protocol";
import { z } from "zod";
import type { AnswerBody, AnyEndpoint } from "./endpoints.ts";

type Json = Record<string, unknown>;

/** Answers and messages that have a name of their own in the document. */
const NAMED: Record<string, z.ZodType> = {
  Error: protocol.errorBody,
  Message: protocol.messageAnswer,
  PipelineStatus: protocol.pipelineStatus,
  PipelineSchemas: protocol.pipelineSchemas,
  Parameter: protocol.parameterDescription,
  IceServers: protocol.iceServers,
  Answer: protocol.offerAnswer,
  Asset: protocol.assetInfo,
  AssetList: protocol.assetList,
  ModelStatus: protocol.modelStatus,
  Session: protocol.sessionInfo,
  SessionList: protocol.sessionList,
  SessionMetrics: protocol.sessionMetrics,
  HardwareInfo: protocol.hardwareInfo,
  Health: protocol.health,
  ServerMessage: protocol.serverMessage,
};

const INTRODUCTION = `Live video in, prompted video out. Load a pipeline, open a WebRTC session with an offer, and change its parameters over the data channel that the client creates.

**Data channel.** The client sends JSON objects of live parameters (schema \`Parameters\`); the server answers with messages told apart by \`type\` (schema \`ServerMessage\`). Types that a client does not know are to be ignored.

**Errors.** An answer of 400 or more has \`detail\`, a stable \`code\` and \`retryable\`; \`Retry-After\` says when it makes sense to try again.`;

/** The document, as JSON. */
export function openApiDocument(endpoints: readonly AnyEndpoint[], version: string): Json {
  const paths: Record<string, Json> = {};
  for (const endpoint of endpoints) {
    const path = openApiPath(endpoint.path);
    paths[path] = { ...paths[path], [endpoint.method]: operation(endpoint) };
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Everframe",
      version,
      description: INTRODUCTION,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/" }],
    tags: [...new Set(endpoints.map((one) => one.tag))].map((name) => ({ name })),
    paths,
    components: { schemas: { ...namedSchemas(), Parameters: parametersSchema() } },
  };
}

/** `:name` and `*` as OpenAPI spells them. */
export function openApiPath(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}").replace(/\*$/, "{path}");
}

function operation(endpoint: AnyEndpoint): Json {
  const { method, path, tag, summary, description, query, body, upload } = endpoint;
  const parameters = [...pathParameters(path), ...queryParameters(query)];
  const content =
    body !== undefined
      ? { "application/json": { schema: toJsonSchema(body) } }
      : upload !== undefined
        ? { [upload]: { schema: { type: "string", format: "binary" } } }
        : undefined;
  return {
    operationId: operationId(method, path),
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(content === undefined ? {} : { requestBody: { required: true, content } }),
    responses: { ...goodAnswers(endpoint), ...refusals(endpoint) },
  };
}

function goodAnswers({ answers }: AnyEndpoint): Json {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { text, body }]) => [status, { description: text, ...contentOf(body) }]),
  );
}

function contentOf(body: AnswerBody): Json {
  if (body === "empty") return {};
  if ("schema" in body) return { content: { "application/json": { schema: reference(body.schema) } } };
  return { content: { [body.type]: { schema: { type: "string", format: "binary" } } } };
}

/** What the endpoint may be refused with, by status. */
function refusals({ query, body, errors = [], answers }: AnyEndpoint): Json {
  const codes = new Set<ErrorCode>([
    ...errors,
    ...(query !== undefined || body !== undefined ? (["invalid_request"] as const) : []),
    ...(body !== undefined ? (["body_too_large"] as const) : []),
    "internal",
  ]);
  const byStatus: Record<string, ErrorCode[]> = {};
  for (const code of codes) byStatus[ERRORS[code].status] = [...(byStatus[ERRORS[code].status] ?? []), code];
  return Object.fromEntries(
    Object.entries(byStatus)
      .filter(([status]) => !(status in answers))
      .map(([status, names]) => [
        status,
        {
          description: `Code ${names.map((name) => `\`${name}\``).join(", ")}.`,
          content: { "application/json": { schema: reference(protocol.errorBody) } },
        },
      ]),
  );
}

function pathParameters(path: string): Json[] {
  return [...openApiPath(path).matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
    ...(name === "path" ? { description: "May contain slashes" } : {}),
  }));
}

function queryParameters(query: z.ZodType | undefined): Json[] {
  if (query === undefined) return [];
  const { properties = {}, required = [] } = toJsonSchema(query) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    schema,
    ...(description === undefined ? {} : { description }),
  }));
}

function operationId(method: string, path: string): string {
  const words = path
    .split(/[/.]/)
    .filter((word) => !["", "api", "v1"].includes(word))
    .map((word) => word.replace(/^[:*]/, "by-") || "by-path")
    .join("-")
    .split("-")
    .filter((word) => word !== "");
  return [method, ...words.map((word) => word[0]!.toUpperCase() + word.slice(1))].join("");
}

function reference(schema: z.ZodType): Json {
  const name = Object.keys(NAMED).find((key) => NAMED[key] === schema);
  return name === undefined ? toJsonSchema(schema, "output") : { $ref: `#/components/schemas/${name}` };
}

function namedSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io: "output",
    unrepresentable: "any",
    uri: (id) => `#/components/schemas/${id}`,
  });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema as Json]),
  );
}

/** What a client may send over the data channel. */
function parametersSchema(): Json {
  const described = protocol.describeParameters();
  return {
    type: "object",
    properties: {
      ...Object.fromEntries(described.map(({ name, help, schema }) => [name, { ...schema, description: help }])),
      request_id: { ...toJsonSchema(protocol.requestId), description: "Names the message in its answer." },
    },
  };
}
