// What the server's pipelines can do and what their parameters are, enough to draw every control from.
import type {
  ParameterName,
  PipelineSchemas,
  ParameterDescription as WireDescription,
  PipelineSchema as WireSchema,
} from "@everframe/protocol";
import type { Api } from "./http.ts";
import { type LoadOptions, loadNameOf, parameterNameOf } from "./wire-parameters.ts";

/** A parameter as the server describes it; `key` is its name in code, undefined where this version does not know it. */
export type ParameterDescription<Key> = WireDescription & { key: Key | undefined };

/** A pipeline as the server describes it, by the names on the wire. */
export type PipelineSchema = Omit<WireSchema, "parameters" | "load_parameters"> & {
  parameters: ParameterDescription<ParameterName>[];
  load_parameters: ParameterDescription<keyof LoadOptions>[];
};

/** Every pipeline of the server by its id. */
export async function readSchemas(api: Api, signal: AbortSignal | undefined): Promise<Record<string, PipelineSchema>> {
  const { pipelines } = await api.request<PipelineSchemas>("/api/v1/pipelines/schemas", { signal });
  return Object.fromEntries(
    Object.entries(pipelines).map(([id, schema]) => [
      id,
      {
        ...schema,
        parameters: schema.parameters.map((one) => ({ ...one, key: parameterNameOf(one.name) })),
        load_parameters: schema.load_parameters.map((one) => ({ ...one, key: loadNameOf(one.name) })),
      },
    ]),
  );
}
