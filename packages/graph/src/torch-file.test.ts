import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Graph } from "./graph.ts";
import { openWeights } from "./open-weights.ts";
import { SafetensorsFile } from "./safetensors.ts";
import {
  checkpointBytes,
  dictPickle,
  pickleBytes,
  tensorOpcodes,
  text,
  unicode,
  zipBytes,
} from "./testing/archives.ts";
import { runOnce, tensor } from "./testing/tensors.ts";
import { TorchFile, TorchFileError } from "./torch-file.ts";

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/torch/${name}`, import.meta.url));
const twinOf = (name: string) => SafetensorsFile.open(fixture(`${name}.safetensors`));

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "torch-file-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(bytes: Uint8Array): string {
  const path = join(folder, "made.pth");
  writeFileSync(path, bytes);
  return path;
}

const FOUR = new Uint8Array(Float32Array.of(1, 2, 3, 4).buffer);
const fourFloats = (over: object = {}) => tensorOpcodes({ elements: 4, shape: [2, 2], strides: [2, 1], ...over });

describe("a PyTorch checkpoint", () => {
  it.each(["checkpoint", "plain"])("equals its safetensors twin, tensor by tensor (%s)", (name) => {
    const torch = TorchFile.open(fixture(`${name}.pth`));
    const twin = twinOf(name);
    expect(torch.names()).toEqual(twin.names());
    for (const tensorName of twin.names()) {
      const { dtype, shape, length } = twin.info(tensorName);
      expect([tensorName, torch.info(tensorName)]).toMatchObject([tensorName, { dtype, shape, length }]);
      expect([tensorName, torch.readRaw(tensorName)]).toEqual([tensorName, twin.readRaw(tensorName)]);
      expect([tensorName, torch.read(tensorName)]).toEqual([tensorName, twin.read(tensorName)]);
    }
  });

  it("has every element type and a tensor of every kind in the fixture", () => {
    const twin = twinOf("checkpoint");
    const types = new Set(twin.names().map((name) => twin.info(name).dtype));
    expect([...types].sort()).toEqual(["BF16", "BOOL", "F16", "F32", "F64", "I16", "I32", "I64", "I8", "U8"]);
    expect(twin.names().length).toBe(29);
  });

  it("gives the place of every tensor whose elements lie in order, and strides for the others only", () => {
    const path = fixture("checkpoint.pth");
    const torch = TorchFile.open(path, { entry: "generator" });
    const bytes = readFileSync(path);
    const strided: Record<string, readonly number[]> = {};
    for (const name of torch.names()) {
      const { offset, length, strides } = torch.info(name);
      if (strides) strided[name] = strides;
      else expect(Uint8Array.from(bytes.subarray(offset, offset + length))).toEqual(torch.readRaw(name));
    }
    expect(strided).toEqual({
      "model.shared_column": [3],
      "model.transposed": [1, 5],
      "model.transposed_bfloat": [1, 12, 4],
      "model.transposed_ids": [1, 3],
      "model.expanded": [0, 1],
    });
    const shared = torch.info("model.shared").offset;
    expect(torch.info("model.shared_rows").offset).toBe(shared + 4 * 3 * 4);
    expect(torch.info("model.shared_column").offset).toBe(shared + 4);
  });

  it("reads chosen rows of tensors in order and out of order", () => {
    const torch = TorchFile.open(fixture("checkpoint.pth"), { entry: "generator" });
    for (const name of ["model.fc.weight", "model.shared_rows", "model.transposed", "model.transposed_bfloat"]) {
      const [rows = 0, ...rest] = torch.info(name).shape;
      const size = rest.reduce((a, b) => a * b, 1);
      const all = torch.read(name);
      const ids = [rows - 1, 0, 1, rows - 1];
      const wanted = ids.flatMap((row) => [...all.subarray(row * size, (row + 1) * size)]);
      expect([...torch.rows(name, ids)]).toEqual(wanted);
    }
    expect(() => torch.rows("model.transposed", [5])).toThrow(/rows 0 to 4, not 5/);
  });

  it("keeps plain values as metadata and drops what else the file holds", () => {
    const torch = TorchFile.open(fixture("checkpoint.pth"));
    expect(torch.metadata).toEqual({
      step: "1200",
      loss: "0.25",
      done: "false",
      note: "Grüße",
      "betas.0": "0.9",
      "betas.1": "0.95",
      "sizes.0.0": "2",
      "sizes.0.1": "3",
    });
  });

  it("gives the tensors of one entry under their own names", () => {
    const path = fixture("checkpoint.pth");
    const lora = TorchFile.open(path, { entry: "generator_lora" });
    expect(lora.names()).toEqual(["base_model.model.fc.lora_A.weight", "base_model.model.fc.lora_B.weight"]);
    expect(() => TorchFile.open(path, { entry: "generator_ema" })).toThrow(
      /has no dict "generator_ema"; there are "generator", "generator_lora", "others"/,
    );
    expect(() => TorchFile.open(path, { entry: "step", optionalEntry: true })).toThrow(/has no dict "step"/);
    const whole = TorchFile.open(fixture("plain.pth"), { entry: "generator_lora", optionalEntry: true });
    expect(whole.names()).toEqual(twinOf("plain").names());
  });

  it("is read with the records that PyTorch 2 adds and with zip64 numbers", () => {
    const pickle = dictPickle({
      a: fourFloats(),
      b: tensorOpcodes({ storageType: "torch.storage\nUntypedStorage\n", elements: 3, shape: [3], strides: [1] }),
    });
    const extra = { byteorder: "little", ".format_version": "1", ".data/serialization_id": "123", version: "3\n" };
    const torch2 = TorchFile.open(file(checkpointBytes(pickle, { "0": FOUR }, extra)));
    expect([...torch2.read("a")]).toEqual([1, 2, 3, 4]);
    expect(torch2.info("b")).toMatchObject({ dtype: "U8", shape: [3] });
    const entries = [
      { name: "x/data.pkl", bytes: pickle },
      { name: "x/data/0", bytes: FOUR },
    ];
    expect([...TorchFile.open(file(zipBytes(entries, true))).read("a")]).toEqual([1, 2, 3, 4]);
  });

  it("with a name that JavaScript objects treat specially is an ordinary checkpoint", () => {
    const torch = TorchFile.open(file(checkpointBytes(dictPickle({ ["__proto__"]: fourFloats() }), { "0": FOUR })));
    expect(torch.names()).toEqual(["__proto__"]);
    const odd = TorchFile.open(file(checkpointBytes(pickleBytes("}", unicode("__proto__"), "K\u0007s"))));
    expect(Object.entries(odd.metadata)).toEqual([["__proto__", "7"]]);
  });

  const fine = dictPickle({ a: fourFloats() });
  const cell = { "0": FOUR };
  // {"a.b": T, "a": {"b": T}}
  const twice = checkpointBytes(
    pickleBytes("}(", unicode("a.b"), fourFloats(), unicode("a"), "}", unicode("b"), fourFloats(), "su"),
    cell,
  );
  const noise = new Uint8Array(100).fill(7);
  it.each<[string, () => Uint8Array, RegExp]>([
    ["empty", () => new Uint8Array(0), /no zip archive/],
    ["of the format before PyTorch 1.6", () => readFileSync(fixture("legacy.pth")), /before version 1\.6.*safetensors/],
    ["cut short", () => readFileSync(fixture("checkpoint.pth")).subarray(0, 4000), /no directory.*cut short/],
    ["another kind of zip archive", () => zipBytes([{ name: "a/b.txt", bytes: FOUR }]), /0 entries data\.pkl/],
    ["a TorchScript program", () => checkpointBytes(fine, cell, { "constants.pkl": "" }), /TorchScript/],
    ["big-endian", () => checkpointBytes(fine, cell, { byteorder: "big" }), /"big" byte order/],
    [
      "a compressed archive",
      () => zipBytes([{ name: "a/data.pkl", bytes: fine, method: 8 }]),
      /"a\/data\.pkl" is compressed \(method 8\)/,
    ],
    [
      "compressed in one storage",
      () =>
        zipBytes([
          { name: "a/data.pkl", bytes: fine },
          { name: "a/data/0", bytes: FOUR, method: 8 },
        ]),
      /tensor "a": .*"a\/data\/0" is compressed/,
    ],
    ["encrypted", () => zipBytes([{ name: "a/data.pkl", bytes: fine, flags: 1 }]), /is encrypted/],
    [
      "an archive that names an entry twice",
      () =>
        zipBytes([
          { name: "a/data.pkl", bytes: fine },
          { name: "a/data.pkl", bytes: fine },
        ]),
      /two entries "a\/data\.pkl"/,
    ],
    ["missing a storage", () => checkpointBytes(fine), /tensor "a": the archive has no entry "archive\/data\/0"/],
    ["with a storage cut short", () => checkpointBytes(fine, { "0": FOUR.subarray(4) }), /12 bytes, but 4 F32/],
    ["a bare tensor", () => checkpointBytes(pickleBytes(fourFloats()), cell), /no dict of tensors at its top/],
    [
      "with a tensor beyond its storage",
      () => checkpointBytes(dictPickle({ a: fourFloats({ offset: 1 }) }), cell),
      /\[2, 2\] reaches element 5 of a storage of 4/,
    ],
    [
      "with a tensor whose strides lead beyond its storage",
      () => checkpointBytes(dictPickle({ a: fourFloats({ strides: [2 ** 50, 1] }) }), cell),
      /reaches element \d+ of a storage of 4/,
    ],
    [
      "with a tensor repeated to an absurd size",
      () => checkpointBytes(dictPickle({ a: fourFloats({ shape: [2 ** 40, 2 ** 40], strides: [0, 0] }) }), cell),
      /repeats its data to \d.* elements/,
    ],
    [
      "with negative strides",
      () => checkpointBytes(dictPickle({ a: fourFloats({ offset: 3, strides: [-2, -1] }) }), cell),
      /arguments that PyTorch does not write/,
    ],
    [
      "with a lazily negated tensor",
      () =>
        checkpointBytes(
          dictPickle({ a: fourFloats({ extra: [text("}"), unicode("neg"), Uint8Array.of(0x88), text("s")] }) }),
          cell,
        ),
      /lazy negation/,
    ],
    [
      "a dict that contains itself",
      () => checkpointBytes(pickleBytes("}q", 1, unicode("a"), "h", 1, "s")),
      /nested deeper/,
    ],
    [
      "a dict that unfolds to very many values",
      () => {
        // {"a": X, "b": X, "c": X} around the same X, twelve times over
        const level = [unicode("a"), "h", 1, unicode("b"), "h", 1, unicode("c"), "h", 1];
        const levels = Array.from({ length: 12 }, () => ["q", 1, "0}(", ...level, "u"]).flat();
        return checkpointBytes(pickleBytes("}", ...levels));
      },
      /holds more than 500000 values/,
    ],
    ["with a very long name", () => checkpointBytes(dictPickle({ ["a".repeat(600)]: text("N") })), /600 characters/],
    ["with two tensors of one name", () => twice, /two tensors of the name "a\.b"/],
    ["with a pickle of noise", () => checkpointBytes(noise), /does not begin with a protocol/],
  ])("is refused when it is %s", (_title, bytes, message) => {
    const path = file(bytes());
    expect(() => TorchFile.open(path)).toThrow(TorchFileError);
    expect(() => TorchFile.open(path)).toThrow(message);
    expect(() => TorchFile.open(path)).toThrow(path);
  });

  it("is refused with its path when it is missing or a folder", () => {
    expect(() => TorchFile.open(join(folder, "none.pth"))).toThrow(/none\.pth: cannot be opened/);
    expect(() => TorchFile.open(folder)).toThrow(/is not a file/);
  });
});

describe("openWeights", () => {
  it("tells formats by content and strips a prefix that all names share", () => {
    const options = { entry: "generator", stripPrefix: "model." };
    const torch = openWeights(fixture("checkpoint.pth"), options);
    const twin = openWeights(fixture("checkpoint.safetensors"), options);
    expect(torch.names()).toContain("fc.weight");
    expect(torch.names()).toEqual(twin.names());
    expect(torch.read("fc.weight")).toEqual(twin.read("fc.weight"));
    const renamed = join(folder, "plain.safetensors");
    copyFileSync(fixture("plain.pth"), renamed);
    expect(openWeights(renamed).names()).toEqual(twinOf("plain").names());
  });

  it("leaves names alone when one of them lacks the prefix, and strips it once only", () => {
    const names = (items: string[], stripPrefix: string) => {
      const pickle = dictPickle(Object.fromEntries(items.map((name) => [name, fourFloats()])));
      return openWeights(file(checkpointBytes(pickle, { "0": FOUR })), { stripPrefix }).names();
    };
    expect(names(["model.a", "model.model.b"], "model.")).toEqual(["a", "model.b"]);
    expect(names(["model.a", "b"], "model.")).toEqual(["model.a", "b"]);
    expect(names(["model.a", "model."], "model.")).toEqual(["model.a", "model."]);
  });

  it("takes a whole safetensors file that was converted from one entry", () => {
    const twin = openWeights(fixture("plain.safetensors"), { entry: "generator" });
    expect(twin.names()).toEqual(twinOf("plain").names());
  });

  it("says what to do about a file of another kind", () => {
    expect(() => openWeights(file(text("version https://git-lfs.github.com/spec/v1\n")))).toThrow(/git lfs pull/);
    expect(() => openWeights(file(text("GGUF and more")))).toThrow(/neither a safetensors file nor a PyTorch/);
    expect(() => openWeights(fixture("legacy.pth"))).toThrow(/before version 1\.6/);
    expect(() => openWeights(join(folder, "none"))).toThrow(/none: cannot be opened/);
  });
});

describe("a graph with weights of a PyTorch checkpoint", () => {
  const options = { entry: "generator", stripPrefix: "model." };

  function build(name: string) {
    const weights = openWeights(fixture(name), options);
    const g = new Graph("mlp");
    const hidden = g.linear(g.input("x", ["n", 6]), g.weight(weights, "fc.weight"), g.weight(weights, "fc.bias"));
    // [n, 5], then [n, 4] by a transposed weight, [3] by a slice of a shared storage, and a bf16 table
    const wide = g.matmul(hidden, g.weight(weights, "transposed", { reshape: [4, 5] }));
    g.output("wide", wide);
    g.output("low", g.linear(wide, g.weight(weights, "half", { reshape: [2, 5] })));
    g.output("rows", g.add(g.weight(weights, "shared_rows"), g.weight(weights, "parameter", { reshape: [4, 1, 1] })));
    g.output("bfloat", g.neg(g.weight(weights, "bfloat")));
    g.output("ids", g.weight(weights, "transposed_ids"));
    g.output("seam", g.concat([g.weight(weights, "empty"), g.weight(weights, "shared_rows")], 0));
    g.output("flags", g.weight(openWeights(fixture(name), { entry: "others" }), "bool"));
    return g;
  }

  it("computes the same as with the safetensors twin, with the weights left in the file", async () => {
    const inputs = { x: tensor([3, 6]) };
    const ours = await runOnce(build("checkpoint.pth"), inputs);
    const twins = await runOnce(build("checkpoint.safetensors"), inputs);
    expect(Object.keys(ours)).toEqual(["wide", "low", "rows", "bfloat", "ids", "seam", "flags"]);
    expect(ours).toEqual(twins);
    expect(ours["wide"]!.data.some((value) => value !== 0)).toBe(true);
    const model = build("checkpoint.pth").build();
    expect(model.weightFiles).toEqual(["checkpoint.pth"]);
    const twin = SafetensorsFile.open(fixture("checkpoint.safetensors"));
    const inlined = (name: string) =>
      Buffer.from(model.bytes).includes(Buffer.from(twin.readRaw(`generator.model.${name}`)));
    expect(["transposed", "fc.weight", "half", "bfloat"].map(inlined)).toEqual([true, false, false, false]);
  });
});
