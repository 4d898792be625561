/**
 * Element types of tensors: our names, their ONNX numbers (TensorProto.DataType
 * of onnx.proto), their sizes, and the JavaScript arrays that hold them.
 */

/** Element type of a value. Arithmetic is done in f32; bf16 and f16 are storage, cast when a model is loaded. */
export type DType = "f32" | "f16" | "bf16" | "f8e4m3" | "i64" | "i32" | "u8" | "i8" | "bool";

/** Numbers of TensorProto.DataType. */
export const ONNX_TYPE: Readonly<Record<DType, number>> = {
  f32: 1,
  u8: 2,
  i8: 3,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  bf16: 16,
  f8e4m3: 17,
};

/** Arrays that carry tensor elements in and out of a session. f16 travels as its 16 bits, bool as 0 and 1. */
export type TensorData = Float32Array | Uint8Array | Int8Array | Int32Array | BigInt64Array | Uint16Array;

/** Element type names of the onnxruntime packages for the types a session accepts. */
export const RUNTIME_TYPE = {
  f32: "float32",
  f16: "float16",
  i64: "int64",
  i32: "int32",
  u8: "uint8",
  i8: "int8",
  bool: "bool",
} as const;

/** Element types that may cross the border of a session. */
export type RuntimeDType = keyof typeof RUNTIME_TYPE;

/** Constructor of the array that holds elements of a type. */
export const ARRAY_TYPE = {
  f32: Float32Array,
  f16: Uint16Array,
  i64: BigInt64Array,
  i32: Int32Array,
  u8: Uint8Array,
  i8: Int8Array,
  bool: Uint8Array,
} as const;

/** True for types that a session can take and return. */
export function isRuntimeDType(dtype: DType): dtype is RuntimeDType {
  return dtype in RUNTIME_TYPE;
}
