import { FormatError, quote, Refusal } from '../format-error';
import { DTYPE_BYTES, type Dtype } from '../tensor';
import { PickleGlobal, type PickleHost, PickleObject, type PickleValue, Placeholder } from './pickle-values';
import { STORAGES } from './storages';

/** A part of a storage of the file, in elements of `type`. */
export class StorageRef extends PickleObject {
  constructor(
    readonly key: string,
    readonly type: StorageType,
    readonly offset: number,
    readonly length: number,
    /** elements of the whole storage, of which `offset` and `length` may be a view */
    readonly total: number,
  ) {
    super();
  }

  /** of the whole storage */
  get bytes(): number {
    return this.total * this.type.elementBytes;
  }
}

/** A tensor as the pickle describes it, before its elements are read. Offset and strides in elements. */
export class TensorRef extends PickleObject {
  constructor(
    readonly storage: StorageRef,
    readonly dtype: Dtype,
    readonly offset: number,
    readonly shape: number[],
    readonly stride: number[],
  ) {
    super();
  }
}

/** A tensor of a kind that is not read: harmless in an optimiser's state, refused among the weights. */
export class UnreadableTensor extends PickleObject {
  constructor(
    /** a predicate with the next step ("is sparse; call to_dense() on it") */
    readonly reason: string,
  ) {
    super();
  }
}

/** A class of storages; calling it makes nothing that is looked into. */
export class StorageType extends PickleGlobal {
  constructor(
    name: string,
    /** absent: of a type that is not read */
    readonly dtype: Dtype | undefined,
    readonly elementBytes: number,
  ) {
    super(name, (args) => new Placeholder(name, args));
  }
}

class TorchDtype extends PickleGlobal {
  constructor(
    name: string,
    readonly dtype: Dtype,
  ) {
    super(name, (args) => new Placeholder(name, args));
  }
}

/** Storages whose numbers are not read, bytes an element. */
const OTHER_STORAGES = {
  ComplexDoubleStorage: 16,
  ComplexFloatStorage: 8,
  QInt32Storage: 4,
  QInt8Storage: 1,
  QUInt8Storage: 1,
  QUInt4x2Storage: 1,
  QUInt2x4Storage: 1,
};

const DTYPES: Record<string, Dtype> = {
  float64: 'F64',
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint8: 'U8',
  uint16: 'U16',
  uint32: 'U32',
  uint64: 'U64',
  bool: 'BOOL',
};

const UNREADABLE = {
  _rebuild_qtensor: "is quantised; save the float network's state_dict() from before its quantisation",
  _rebuild_sparse_tensor: 'is sparse; call to_dense() on it before you save',
  _rebuild_sparse_csr_tensor: 'is sparse; call to_dense() on it before you save',
  _rebuild_meta_tensor_no_storage:
    'is on the device "meta" and has no numbers; load the weights before you save',
  _rebuild_nested_tensor: 'is a nested tensor; pad it before you save',
};

/** PyTorch's own limit. */
const MAX_DIMENSIONS = 64;

const GLOBALS = new Map<string, PickleGlobal>();

function allow(name: string, call: (args: PickleValue[]) => PickleValue): void {
  GLOBALS.set(name, new PickleGlobal(name, call));
}

for (const [name, dtype] of Object.entries(STORAGES)) {
  GLOBALS.set(`torch.${name}`, new StorageType(name, dtype, DTYPE_BYTES[dtype]));
}
for (const [name, bytes] of Object.entries(OTHER_STORAGES)) {
  GLOBALS.set(`torch.${name}`, new StorageType(name, undefined, bytes));
}
for (const name of ['torch.UntypedStorage', 'torch.storage.UntypedStorage']) {
  GLOBALS.set(name, new StorageType(name, 'U8', 1));
}
for (const [name, dtype] of Object.entries(DTYPES)) GLOBALS.set(`torch.${name}`, new TorchDtype(name, dtype));
for (const [name, reason] of Object.entries(UNREADABLE)) {
  allow(`torch._utils.${name}`, () => new UnreadableTensor(reason));
}
allow('collections.OrderedDict', ([pairs]) => makeDict(pairs));
allow('collections.defaultdict', () => new Map());
allow('torch.Size', ([items]) => items ?? []);
allow('torch._utils._rebuild_tensor', rebuildTensor);
allow('torch._utils._rebuild_tensor_v2', rebuildTensor);
allow('torch._utils._rebuild_tensor_v3', ([storage, offset, size, stride, , , dtype]) =>
  rebuildTensor([storage, offset, size, stride], dtype),
);
allow('torch._utils._rebuild_parameter', ([tensor]) => tensor ?? null);
allow('torch._utils._rebuild_parameter_with_state', ([tensor]) => tensor ?? null);
for (const name of ['torch._tensor._rebuild_from_type_v2', 'torch._tensor._rebuild_from_type']) {
  allow(name, ([build, , args]) => {
    if (!(build instanceof PickleGlobal) || !Array.isArray(args))
      throw new FormatError('a tensor in it is malformed');
    return build.call(args);
  });
}

/** Python 2 wrote an OrderedDict with its pairs as the argument. */
function makeDict(pairs: PickleValue | undefined): PickleValue {
  const dict = new Map<PickleValue, PickleValue>();
  // The list is emptied: read again and again from the memo it would make memory out of nothing.
  for (const pair of Array.isArray(pairs) ? pairs.splice(0) : []) {
    if (!Array.isArray(pair) || pair.length !== 2) throw new FormatError('an OrderedDict in it is malformed');
    dict.set(pair[0], pair[1]);
  }
  return dict;
}

function rebuildTensor([storage, offset, size, stride]: PickleValue[], type?: PickleValue): PickleObject {
  if (storage instanceof Placeholder) return new UnreadableTensor(madeBy(storage.name));
  if (!(storage instanceof StorageRef) || !isSizes(size) || !isSizes(stride) || !isCount(offset)) {
    throw new FormatError('a tensor in it is malformed');
  }
  if (size.length !== stride.length)
    throw new FormatError('a tensor in it has other strides than dimensions');
  const named = type instanceof PickleGlobal ? type : storage.type;
  const dtype = named instanceof StorageType || named instanceof TorchDtype ? named.dtype : undefined;
  if (!dtype) return new UnreadableTensor(`is of the type ${named.name}; save it as float32`);
  return new TensorRef(storage, dtype, offset, [...size], [...stride]); // later pickle code may change its lists
}

/** Why a tensor is not read that a function makes which nobody here knows. */
export function madeBy(name: string): string {
  return `is made by the Python object ${shown(name)}, which is not run; load the file in PyTorch and save plain tensors`;
}

/** A Python name out of an untrusted file, fit for a message. */
export function shown(name: string): string {
  return (name.length > 100 ? `${name.slice(0, 100)}...` : name).replace(/[^\x20-\x7e]/g, '?');
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount);
}

/**
 * ('storage', type, key, device, elements[, view]), the view being (key, offset, elements) or None; or, before torch
 * 1.6, ('module', class, file, source).
 */
function readPersistentId(id: PickleValue): PickleValue {
  const [tag, type, key, , total, view] = Array.isArray(id) ? id : [];
  if (tag === 'module' && type instanceof PickleGlobal) return type;
  if (tag !== 'storage' || !(type instanceof StorageType) || typeof key !== 'string' || !isCount(total)) {
    throw new FormatError('a storage in it is malformed');
  }
  let [offset, length] = [0, total];
  if (Array.isArray(view)) {
    const [, viewOffset, viewLength] = view;
    if (!isCount(viewOffset) || !isCount(viewLength) || viewOffset + viewLength > total) {
      throw new FormatError(`a view of storage ${quote(key)} reaches beyond it`);
    }
    [offset, length] = [viewOffset, viewLength];
  }
  return new StorageRef(key, type, offset, length, total);
}

/**
 * What attacks are made of: no training script leaves these beside its weights. The list only decides what is said;
 * nothing outside GLOBALS is ever called.
 */
const ATTACKS = [
  /^(os|posix|nt|subprocess|pty|socket|shutil|sys|runpy|importlib|ctypes|webbrowser|commands|code|pdb|bdb|timeit|pip)\./,
  /^(builtins|__builtin__)\.(eval|exec|execfile|compile|open|__import__|breakpoint|input)$/,
  /^(pickle|_pickle|cPickle|marshal|torch|torch\.serialization|torch\.hub|joblib|dill|cloudpickle)\.loads?$/,
];

/**
 * What a PyTorch pickle may name: tensors, storages and containers are built; anything else becomes a placeholder that
 * is never called, as hyper-parameters and callbacks of a training script do. What only attacks name is a Refusal.
 */
export const torchHost: PickleHost = {
  global(module, name) {
    const full = `${module}.${name}`;
    const known = GLOBALS.get(full);
    if (known) return known;
    if (ATTACKS.some((attack) => attack.test(full))) {
      throw new Refusal(
        `names the Python object ${shown(full)}, which runs code and has no place among weights, so reading stopped and ` +
          'it was not run; do not open the file in Python either, and get the weights from a source that you trust',
      );
    }
    return new PickleGlobal(full, (args) => new Placeholder(full, args));
  },
  persistent: readPersistentId,
};
