/**
 * What the pickle of a PyTorch checkpoint may contain: the few globals that
 * `torch.save` writes for dicts of tensors (torch/_utils.py and
 * torch/serialization.py), and what each stands for. Tensors become
 * descriptions of where their elements lie in a storage; any other global is
 * refused, because loading it in Python would run code of the file's choice.
 */
import {
  PickleDict,
  PickleError,
  PickleExtension,
  PickleGlobal,
  PickleTuple,
  type PickleValue,
  readPickle,
} from "./pickle.ts";
import type { WeightDType } from "./weight-file.ts";

/** A block of elements kept outside the pickle. Several tensors may share one. */
export class TorchStorage extends PickleExtension {
  readonly kind = "storage";
  readonly dtype: WeightDType;
  /** Name of its entry in the archive's `data` folder. */
  readonly key: string;
  readonly elements: number;
  constructor(dtype: WeightDType, key: string, elements: number) {
    super();
    this.dtype = dtype;
    this.key = key;
    this.elements = elements;
  }
}

/** A view of a storage. Offset and strides count elements; checked to stay within the storage. */
export class TorchTensor extends PickleExtension {
  readonly kind = "tensor";
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const STORAGES: ReadonlyMap<string, WeightDType> = new Map<string, WeightDType>([
  ["torch.DoubleStorage", "F64"],
  ["torch.FloatStorage", "F32"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
  // PyTorch 2 writes a storage that was saved by itself without an element type.
  ["torch.storage.UntypedStorage", "U8"],
]);

type Call = (args: readonly PickleValue[]) => PickleValue;

const CALLS: ReadonlyMap<string, Call> = new Map<string, Call>([
  ["collections.OrderedDict", orderedDict],
  ["torch.Size", size],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_parameter", rebuildParameter],
]);

// More axes than any tensor of a model has; keeps work for one tensor bounded.
const MAX_AXES = 16;

/**
 * The value in a checkpoint's `data.pkl`.
 * @throws PickleError when the pickle is refused.
 */
export function readTorchPickle(bytes: Uint8Array): PickleValue {
  return readPickle(bytes, {
    allows: (name) => CALLS.has(name) || STORAGES.has(name),
    call: (name, args) => {
      const call = CALLS.get(name);
      if (!call) throw new PickleError(`its pickle calls ${name}, which is a type of storage. The file is refused`);
      return call(args);
    },
    persistent: storage,
  });
}

function orderedDict(args: readonly PickleValue[]): PickleDict {
  if (args.length !== 0) throw misuse("collections.OrderedDict");
  return new PickleDict();
}

function size(args: readonly PickleValue[]): PickleTuple {
  const [sizes] = args;
  if (args.length !== 1 || !wholeNumbers(sizes)) throw misuse("torch.Size");
  return sizes as PickleTuple;
}

/** `_rebuild_tensor_v2(storage, offset, size, strides, requires_grad, backward_hooks, metadata = {})` */
function rebuildTensor(args: readonly PickleValue[]): TorchTensor {
  const [storage, offset, sizes, steps, , , flags] = args;
  const shape = wholeNumbers(sizes);
  const strides = wholeNumbers(steps);
  if (args.length < 6 || args.length > 7 || !(storage instanceof TorchStorage)) throw misuse("_rebuild_tensor_v2");
  if (!isWhole(offset) || !shape || !strides || shape.length !== strides.length) throw misuse("_rebuild_tensor_v2");
  if (shape.length > MAX_AXES) throw new PickleError(`a tensor has ${shape.length} axes`);
  // These flags say that the elements are to be negated or conjugated when read.
  if (flags !== undefined && !(flags instanceof PickleDict && flags.entries.size === 0)) {
    throw new PickleError("a tensor is a lazy negation or conjugate; save it with resolve_neg() and resolve_conj()");
  }
  const end = shape.includes(0) ? offset : shape.reduce((sum, n, axis) => sum + (n - 1) * strides[axis]!, offset + 1);
  if (end > storage.elements) {
    throw new PickleError(`a tensor [${shape.join(", ")}] reaches element ${end} of a storage of ${storage.elements}`);
  }
  return new TorchTensor(storage, offset, shape, strides);
}

/** `_rebuild_parameter(data, requires_grad, backward_hooks)` */
function rebuildParameter(args: readonly PickleValue[]): TorchTensor {
  const [data] = args;
  if (args.length !== 3 || !(data instanceof TorchTensor)) throw misuse("_rebuild_parameter");
  return data;
}

/** `("storage", storage type, key, device, number of elements)` */
function storage(id: PickleValue): TorchStorage {
  const [tag, type, key, device, elements] = id instanceof PickleTuple && id.items.length === 5 ? id.items : [];
  const dtype = type instanceof PickleGlobal ? STORAGES.get(type.name) : undefined;
  if (tag !== "storage" || !dtype || typeof key !== "string" || typeof device !== "string" || !isWhole(elements)) {
    throw new PickleError("its pickle refers to outside data in an unknown way. The file is refused");
  }
  return new TorchStorage(dtype, key, elements);
}

function misuse(name: string): PickleError {
  return new PickleError(`its pickle calls ${name} with arguments that PyTorch does not write. The file is refused`);
}

function isWhole(value: PickleValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function wholeNumbers(value: PickleValue | undefined): readonly number[] | undefined {
  return value instanceof PickleTuple && value.items.every(isWhole) ? (value.items as readonly number[]) : undefined;
}
