import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SafetensorsError, SafetensorsFile } from "./safetensors.ts";
import { bf16Tensor, f32Tensor, type StoredTensor, safetensorsBytes, writeSafetensors } from "./testing/tensors.ts";

const bytesOf = (array: { buffer: ArrayBufferLike }) => new Uint8Array(array.buffer);

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safetensors-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe("a safetensors file", () => {
  it.each<[string, StoredTensor, number[]]>([
    ["F32", f32Tensor([2], [1.5, -2]), [1.5, -2]],
    ["F64", { dtype: "F64", shape: [2], bytes: bytesOf(new Float64Array([0.25, -3])) }, [0.25, -3]],
    ["BF16", bf16Tensor([3], [1, -0.5, 384]), [1, -0.5, 384]],
    [
      "F16",
      { dtype: "F16", shape: [5], bytes: bytesOf(new Uint16Array([0x3c00, 0xc100, 0x0001, 0x7bff, 0x7c00])) },
      [1, -2.5, 2 ** -24, 65504, Number.POSITIVE_INFINITY],
    ],
    [
      "F8_E4M3",
      { dtype: "F8_E4M3", shape: [5], bytes: new Uint8Array([0x38, 0xc4, 0x01, 0x7e, 0x7f]) },
      [1, -3, 2 ** -9, 448, Number.NaN],
    ],
    ["I64", { dtype: "I64", shape: [2], bytes: bytesOf(new BigInt64Array([-7n, 9n])) }, [-7, 9]],
    ["I32", { dtype: "I32", shape: [2], bytes: bytesOf(new Int32Array([-7, 9])) }, [-7, 9]],
    ["U8", { dtype: "U8", shape: [2], bytes: new Uint8Array([0, 255]) }, [0, 255]],
  ])("reads %s as f32 from an unaligned offset", (dtype, stored, wanted) => {
    const path = file(
      `${dtype}.safetensors`,
      safetensorsBytes({ odd: { dtype: "U8", shape: [1], bytes: Uint8Array.of(3) }, x: stored }),
    );
    const opened = SafetensorsFile.open(path);
    expect([...opened.read("x")]).toEqual(wanted);
    expect(opened.readRaw("x")).toEqual(new Uint8Array(stored.bytes));
    expect(opened.info("x")).toMatchObject({ dtype, shape: stored.shape, length: stored.bytes.length });
  });

  it("reads chosen rows in the order asked for", () => {
    const path = join(folder, "rows.safetensors");
    writeSafetensors(path, { pad: f32Tensor([1], [9]), table: bf16Tensor([4, 2], [0, 1, 2, 3, 4, 5, 6, 7]) });
    const opened = SafetensorsFile.open(path);
    expect([...opened.rows("table", [3, 0, 3])]).toEqual([6, 7, 0, 1, 6, 7]);
    expect(() => opened.rows("table", [4])).toThrow(/rows 0 to 3, not 4/);
  });

  it("keeps metadata, lists names and resolves symbolic links", () => {
    const header = JSON.stringify({
      __metadata__: { seed: "7" },
      a: { dtype: "U8", shape: [0], data_offsets: [0, 0] },
    });
    const path = file("meta.safetensors", safetensorsBytes({}, header));
    symlinkSync(path, join(folder, "link.safetensors"));
    const opened = SafetensorsFile.open(join(folder, "link.safetensors"));
    expect(opened.metadata).toEqual({ seed: "7" });
    expect(opened.names()).toEqual(["a"]);
    expect(opened.path).toBe(SafetensorsFile.open(path).path);
    expect(() => opened.info("b")).toThrow(/has no tensor "b"/);
  });

  const DEEP = "[".repeat(50_000) + "]".repeat(50_000);
  const entry = (over: object) => JSON.stringify({ x: { dtype: "F32", shape: [2], data_offsets: [0, 8], ...over } });
  const eight = { x: f32Tensor([2], [1, 2]) };
  it.each<[string, Uint8Array, RegExp]>([
    ["shorter than a header length", Uint8Array.of(1, 2, 3), /has 3 bytes/],
    ["with an absurd header length", new Uint8Array(16).fill(0xff), /not a safetensors file/],
    ["cut within the header", safetensorsBytes(eight).subarray(0, 20), /cut short/],
    ["cut within the data", safetensorsBytes(eight).subarray(0, -1), /tensor "x" ends at byte .* cut short/],
    ["whose header is not JSON", safetensorsBytes(eight, "{nonsense"), /not JSON/],
    ["whose header is a list", safetensorsBytes(eight, "[]"), /not a JSON object/],
    ["with an unknown dtype", safetensorsBytes(eight, entry({ dtype: "Q4" })), /unsupported dtype "Q4"/],
    [
      "with a dtype nested without end",
      safetensorsBytes(eight, entry({ dtype: 0 }).replace('"dtype":0', `"dtype":${DEEP}`)),
      /no dtype/,
    ],
    ["with a negative size", safetensorsBytes(eight, entry({ shape: [-2] })), /not a list of sizes/],
    ["with a reversed range", safetensorsBytes(eight, entry({ data_offsets: [8, 0] })), /ends \(0\) before/],
    ["with a range of the wrong length", safetensorsBytes(eight, entry({ shape: [3] })), /takes 12/],
    [
      "with overlapping tensors",
      safetensorsBytes(
        eight,
        JSON.stringify({
          a: { dtype: "U8", shape: [5], data_offsets: [0, 5] },
          b: { dtype: "U8", shape: [4], data_offsets: [4, 8] },
        }),
      ),
      /"b" overlaps tensor "a"/,
    ],
  ])("is refused when it is %s", (title, bytes, message) => {
    const path = file(`${title}.safetensors`, bytes);
    expect(() => SafetensorsFile.open(path)).toThrow(SafetensorsError);
    expect(() => SafetensorsFile.open(path)).toThrow(message);
  });

  it("is read when its metadata has more than texts, without that", () => {
    const header = `{"__metadata__": {"note": "kept", "odd": ${DEEP}}, "x": ${entry({}).slice(5)}`;
    const opened = SafetensorsFile.open(file("odd-metadata.safetensors", safetensorsBytes(eight, header)));
    expect(opened.metadata).toEqual({ note: "kept" });
    expect([...opened.read("x")]).toEqual([1, 2]);
  });

  it("is refused with its path when it is missing or a folder", () => {
    expect(() => SafetensorsFile.open(folder)).toThrow(/is not a file/);
    expect(() => SafetensorsFile.open(join(folder, "none"))).toThrow(/none: cannot be opened/);
  });
});
