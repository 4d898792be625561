/**
 * Writer of the protobuf wire format (protobuf.dev, "Encoding"): varints, fixed
 * 32-bit floats and length-delimited fields. Enough for ONNX models; large
 * byte fields are kept by reference until `finish`.
 */
export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** Field of wire type 0. Negative numbers take the ten-byte form of int64. */
  int(field: number, value: number | bigint): this {
    return this.#push(varint(field << 3), varint(value));
  }

  /** Field of wire type 5: a 32-bit float. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.#push(varint((field << 3) | 5), bytes);
  }

  bytes(field: number, value: Uint8Array): this {
    return this.#push(varint((field << 3) | 2), varint(value.length), value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** Repeated int64, packed. */
  packedInts(field: number, values: readonly (number | bigint)[]): this {
    const body = new ProtobufWriter();
    for (const value of values) body.#push(varint(value));
    return this.message(field, body);
  }

  message(field: number, body: ProtobufWriter): this {
    return this.#push(varint((field << 3) | 2), varint(body.#length), ...body.#parts);
  }

  finish(): Uint8Array<ArrayBuffer> {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  #push(...parts: Uint8Array[]): this {
    for (const part of parts) {
      this.#parts.push(part);
      this.#length += part.length;
    }
    return this;
  }
}

function varint(value: number | bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
