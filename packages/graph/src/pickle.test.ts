import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { PickleDict, PickleError, PickleList, PickleTuple, type PickleValue } from "./pickle.ts";
import { joined, long, pickleBytes, tensorOpcodes, text, u32, u64, unicode } from "./testing/archives.ts";
import { readTorchPickle } from "./torch-pickle.ts";

/** Python values as JSON-like ones. */
function plain(value: PickleValue): unknown {
  if (value instanceof PickleList || value instanceof PickleTuple) return value.items.map(plain);
  if (value instanceof PickleDict) return Object.fromEntries([...value.entries].map(([k, v]) => [String(k), plain(v)]));
  return value;
}

/** What the function throws, or undefined. */
function captured(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe("a pickle of plain data", () => {
  // The bytes are those of CPython's pickle.dumps of the value in the title.
  it.each<[string, string, unknown]>([
    [
      "protocol 2: [1, 255, 256, 65536, -1, 1 << 40, None, True, False, 1.5]",
      "80025d7100284b014bff4d00014a000001004affffffff8a060000000000014e8889473ff8000000000000652e",
      [1, 255, 256, 65536, -1, 2 ** 40, null, true, false, 1.5],
    ],
    [
      "protocol 4: {'a': ('x', (1, 2), [], {}), 'b': -(1 << 100)}",
      "8004952d000000000000007d94288c016194288c0178944b014b0286945d947d9474948c0162948a0d000000000000000000000000f0752e",
      { a: ["x", [1, 2], [], {}], b: -(2n ** 100n) },
    ],
  ])("of %s", (_title, hex, wanted) => {
    expect(plain(readTorchPickle(Buffer.from(hex, "hex")))).toEqual(wanted);
  });

  it("shares a value that is remembered instead of copying it", () => {
    const list = readTorchPickle(pickleBytes("](]q", 1, "h", 1, "e"));
    const [first, second] = (list as PickleList).items;
    expect(first).toBeInstanceOf(PickleList);
    expect(second).toBe(first);
  });

  it("ends where it is cut, at every length", () => {
    const whole = pickleBytes("}(", unicode("w"), tensorOpcodes({ elements: 4, shape: [2, 2], strides: [2, 1] }), "u");
    expect(() => readTorchPickle(whole)).not.toThrow();
    for (let length = 0; length < whole.length; length++) {
      expect(() => readTorchPickle(whole.subarray(0, length))).toThrow(PickleError);
    }
  });
});

describe("a hostile pickle", () => {
  const marker = "/tmp/everframe-pickle-was-run";
  const shortUnicode = (value: string) => joined([Uint8Array.of(0x8c, value.length), text(value)]);
  const stackGlobal = (module: string, name: string) =>
    joined([shortUnicode(module), shortUnicode(name), Uint8Array.of(0x93)]);

  it.each<[string, Uint8Array, RegExp]>([
    ["os.system", pickleBytes("cos\nsystem\n", unicode(`touch ${marker}`), 0x85, "R"), /global "os\.system"/],
    [
      "posix.system by protocol 4",
      pickleBytes(stackGlobal("posix", "system"), unicode(`touch ${marker}`), 0x85, "R"),
      /global "posix\.system".*nothing of it was run.*convert it to safetensors/s,
    ],
    ["builtins.eval", pickleBytes("cbuiltins\neval\n", unicode("1"), 0x85, "R"), /global "builtins\.eval"/],
    ["Python 2's eval", pickleBytes("c__builtin__\neval\n", unicode("1"), 0x85, "R"), /global "__builtin__\.eval"/],
    ["getattr", pickleBytes("cbuiltins\ngetattr\n"), /global "builtins\.getattr"/],
    [
      "an attribute of an allowed function",
      pickleBytes(stackGlobal("torch._utils", "_rebuild_tensor_v2.__globals__")),
      /global "torch\._utils\._rebuild_tensor_v2\.__globals__"/,
    ],
    [
      "an allowed function through another module",
      pickleBytes(stackGlobal("torch.serialization", "_rebuild_tensor_v2")),
      /global "torch\.serialization\._rebuild_tensor_v2"/,
    ],
    ["torch.load itself", pickleBytes("ctorch.serialization\nload\n"), /global "torch\.serialization\.load"/],
    ["a whole module", pickleBytes("c__main__\nModel\n)", 0x81), /global "__main__\.Model"/],
    ["a name with control characters", pickleBytes("cos\u001b[31m\nsystem\n"), /global "os\\u001b\[31m\.system"/],
    ["a global name of numbers", pickleBytes("K", 1, "K", 2, 0x93), /names no global/],
    ["a global name without end", pickleBytes("c", text("a".repeat(5000))), /name that does not end/],
    [
      "a call of a call's result",
      pickleBytes("ccollections\nOrderedDict\n)R)R"),
      /calls a value that is not a known function/,
    ],
    ["a call of a text", pickleBytes(unicode("os.system"), ")R"), /calls a value that is not a known function/],
    ["a call of a storage type", pickleBytes("ctorch\nFloatStorage\n)R"), /calls torch\.FloatStorage/],
    [
      "an ordered dict of arguments",
      pickleBytes("ccollections\nOrderedDict\n]", 0x85, "R"),
      /OrderedDict with arguments/,
    ],
    ["a size of texts", pickleBytes("ctorch\nSize\n", unicode("a"), 0x85, 0x85, "R"), /torch\.Size with arguments/],
    ["a parameter of a dict", pickleBytes("ctorch._utils\n_rebuild_parameter\n}", 0x89, "}", 0x87, "R"), /_parameter/],
    ["attributes of a global", pickleBytes("ccollections\nOrderedDict\n}b"), /attributes of a value that has none/],
    ["attributes of a tuple", pickleBytes("(t}b"), /attributes of a value that has none/],
    ["NEWOBJ", pickleBytes("ccollections\nOrderedDict\n)", 0x81), /operation 0x81 at byte \d+/],
    ["NEWOBJ_EX", pickleBytes("ccollections\nOrderedDict\n)}", 0x92), /operation 0x92/],
    ["INST", pickleBytes("(ios\nsystem\n"), /operation 0x69/],
    ["OBJ", pickleBytes("(ccollections\nOrderedDict\no"), /operation 0x6f/],
    ["an extension code", pickleBytes(0x82, 1), /operation 0x82/],
    ["a textual persistent id", pickleBytes("P0\n"), /operation 0x50/],
    ["an unknown persistent id", pickleBytes(unicode("storage"), "Q"), /refers to outside data in an unknown way/],
    ["protocol 0", text("cos\nsystem\n(S'true'\ntR."), /does not begin with a protocol/],
    ["protocol 9", Uint8Array.of(0x80, 9, 0x4e, 0x2e), /protocol 9, not 2 to 5/],
    [
      "a number of elements beyond all files",
      pickleBytes(tensorOpcodes({ elements: 4, shape: [2 ** 52], strides: [1] })),
      /reaches element/,
    ],
    [
      "a storage of a negative size",
      pickleBytes(tensorOpcodes({ elements: -4, shape: [0], strides: [1] })),
      /outside data/,
    ],
    [
      "a storage of more elements than a number holds",
      pickleBytes(
        "(",
        unicode("storage"),
        "ctorch\nFloatStorage\n",
        unicode("0"),
        unicode("cpu"),
        long(2n ** 62n),
        "tQ",
      ),
      /outside data/,
    ],
    [
      "a tensor of very many axes",
      pickleBytes(tensorOpcodes({ elements: 4, shape: Array(99).fill(1), strides: Array(99).fill(1) })),
      /99 axes/,
    ],
    ["a text longer than the file", pickleBytes("X", u32(0xffffffff)), /text of 4294967295 bytes/],
    ["a text of 2^63 bytes", pickleBytes(0x8d, u64(2n ** 63n)), /string of 9223372036854775808 bytes/],
    ["a frame longer than the file", pickleBytes(0x95, u64(2n ** 60n)), /frame of/],
    ["an integer of 2^32 bytes", pickleBytes(0x8b, u32(0xffffffff)), /integer of 4294967295 bytes/],
    ["a text that is not UTF-8", pickleBytes("X", u32(2), Uint8Array.of(0xff, 0xfe)), /not UTF-8/],
    ["a value that was never remembered", pickleBytes("j", u32(7)), /refers to value 7/],
    ["an unhashable key", pickleBytes("}]K", 1, "s"), /dict with a list as key/],
    ["a key without a value", pickleBytes("}(K", 1, "u"), /key without a value/],
    ["items of a list", pickleBytes("](K", 1, "K", 1, "u"), /items of a value that is not a dict/],
    ["appending to a text", pickleBytes(unicode("a"), "Na"), /appends to a value that is not a list/],
    ["an empty stack", pickleBytes(), /takes a value that is not there/],
    ["a group that takes from below its mark", pickleBytes("]N(a"), /takes a value that is not there/],
    ["a group end without its mark", pickleBytes("Nt"), /ends a group that it did not begin/],
    ["marks without end", pickleBytes(text("(".repeat(100_000))), /nested deeper/],
    ["a stack without end", pickleBytes(text("N".repeat(1_100_000))), /stack of more than/],
    ["a memo without end", pickleBytes("N", new Uint8Array(1_100_000).fill(0x94)), /remembers more than/],
    ["operations without end", pickleBytes(text("N0".repeat(2_100_000))), /more than \d+ operations/],
  ])("is refused: %s", (_title, pickle, message) => {
    const read = captured(() => readTorchPickle(pickle));
    expect(read).toBeInstanceOf(PickleError);
    expect(String(read)).toMatch(message);
    expect(existsSync(marker)).toBe(false);
  });
});
