/**
 * Writes a graph as ONNX bytes (field numbers of onnx/onnx.proto, IR version
 * 10). Opset 23 of the standard domain plus com.microsoft, the contributed
 * operators of ONNX Runtime. Weights may stay outside as external data: a
 * file name, a byte offset and a length.
 */
import type { Shape } from "./dims.ts";
import { type DType, ONNX_TYPE } from "./dtype.ts";
import { ProtobufWriter } from "./protobuf.ts";

/** An attribute: whole numbers become INT, others must be wrapped in `{ float }`; arrays become INTS. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

export type OnnxNode = {
  readonly opType: string;
  /** Value names; an empty name stands for an input left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
  /** True for operators of the com.microsoft domain. */
  readonly contributed: boolean;
};

export type OnnxTensor = {
  readonly name: string;
  readonly dtype: DType;
  readonly dims: readonly number[];
  /** Little-endian bytes, or the place of the bytes in a file named relative to the model's folder. */
  readonly data: Uint8Array | { readonly location: string; readonly offset: number; readonly length: number };
};

export type OnnxPort = { readonly name: string; readonly dtype: DType; readonly shape: Shape };

export type OnnxGraph = {
  readonly name: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxPort[];
  readonly outputs: readonly OnnxPort[];
};

const IR_VERSION = 10;
const OPSET = 23;
const ATTRIBUTE_TYPE = { float: 1, int: 2, string: 3, ints: 7 } as const;
const EXTERNAL = 1;

/** The bytes of a ModelProto. */
export function writeOnnx(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  const body = new ProtobufWriter();
  for (const [i, node] of graph.nodes.entries()) body.message(1, nodeProto(node, `${node.opType}_${i}`));
  body.string(2, graph.name);
  for (const tensor of graph.initializers) body.message(5, tensorProto(tensor));
  for (const port of graph.inputs) body.message(11, valueInfoProto(port));
  for (const port of graph.outputs) body.message(12, valueInfoProto(port));
  return new ProtobufWriter()
    .int(1, IR_VERSION)
    .string(2, "everframe")
    .message(7, body)
    .message(8, new ProtobufWriter().string(1, "").int(2, OPSET))
    .message(8, new ProtobufWriter().string(1, "com.microsoft").int(2, 1))
    .finish();
}

function nodeProto(node: OnnxNode, name: string): ProtobufWriter {
  const proto = new ProtobufWriter();
  for (const input of node.inputs) proto.string(1, input);
  for (const output of node.outputs) proto.string(2, output);
  proto.string(3, name).string(4, node.opType);
  for (const [key, value] of Object.entries(node.attributes)) proto.message(5, attributeProto(key, value));
  return node.contributed ? proto.string(7, "com.microsoft") : proto;
}

function attributeProto(name: string, value: Attribute): ProtobufWriter {
  const proto = new ProtobufWriter().string(1, name);
  if (typeof value === "number") return proto.int(3, value).int(20, ATTRIBUTE_TYPE.int);
  if (typeof value === "string") return proto.string(4, value).int(20, ATTRIBUTE_TYPE.string);
  if ("float" in value) return proto.float(2, value.float).int(20, ATTRIBUTE_TYPE.float);
  return proto.packedInts(8, value).int(20, ATTRIBUTE_TYPE.ints);
}

function tensorProto(tensor: OnnxTensor): ProtobufWriter {
  const proto = new ProtobufWriter().packedInts(1, tensor.dims).int(2, ONNX_TYPE[tensor.dtype]).string(8, tensor.name);
  if (tensor.data instanceof Uint8Array) return proto.bytes(9, tensor.data);
  for (const key of ["location", "offset", "length"] as const) {
    proto.message(13, new ProtobufWriter().string(1, key).string(2, String(tensor.data[key])));
  }
  return proto.int(14, EXTERNAL);
}

function valueInfoProto(port: OnnxPort): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const dim of port.shape) {
    const size = new ProtobufWriter();
    shape.message(1, typeof dim === "number" ? size.int(1, dim) : size.string(2, dim));
  }
  const tensorType = new ProtobufWriter().int(1, ONNX_TYPE[port.dtype]).message(2, shape);
  return new ProtobufWriter().string(1, port.name).message(2, new ProtobufWriter().message(1, tensorType));
}
