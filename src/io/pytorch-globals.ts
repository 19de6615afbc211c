import { UserError } from '../errors';
import { FormatError, quote } from './format-error';
import { PickleGlobal, type PickleHost, PickleObject, type PickleValue } from './pickle';
import type { Dtype } from './tensor';

/** A part of a storage of the file, in elements of `dtype`. */
export class StorageRef extends PickleObject {
  constructor(
    readonly key: string,
    readonly dtype: Dtype,
    readonly offset: number,
    readonly length: number,
    /** elements of the whole storage, of which `offset` and `length` may be a view */
    readonly total: number,
  ) {
    super();
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

/** Something that a checkpoint may hold beside its tensors and that nobody here looks into. */
class Opaque extends PickleObject {}

class StorageType extends PickleGlobal {
  constructor(
    name: string,
    /** null: untyped, counted in bytes */
    readonly dtype: Dtype | null,
  ) {
    super(name, () => new Opaque());
  }
}

class TorchDtype extends PickleGlobal {
  constructor(
    name: string,
    readonly dtype: Dtype,
  ) {
    super(name, () => new Opaque());
  }
}

const STORAGES: Record<string, Dtype> = {
  DoubleStorage: 'F64',
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
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

/** PyTorch's own limit. */
const MAX_DIMENSIONS = 64;

/** Classes that training scripts leave beside the weights; they become inert. */
const INERT = [
  'torch.Tensor',
  'torch.nn.parameter.Parameter',
  'torch.device',
  'argparse.Namespace',
  'numpy.dtype',
  'numpy.ndarray',
  'numpy.core.multiarray.scalar',
  'numpy.core.multiarray._reconstruct',
  'numpy._core.multiarray.scalar',
  'numpy._core.multiarray._reconstruct',
  '_codecs.encode',
];

const GLOBALS = new Map<string, PickleGlobal>();

function allow(name: string, call: (args: PickleValue[]) => PickleValue): void {
  GLOBALS.set(name, new PickleGlobal(name, call));
}

for (const [name, dtype] of Object.entries(STORAGES)) {
  GLOBALS.set(`torch.${name}`, new StorageType(name, dtype));
}
for (const name of ['torch.UntypedStorage', 'torch.storage.UntypedStorage']) {
  GLOBALS.set(name, new StorageType(name, null));
}
for (const [name, dtype] of Object.entries(DTYPES)) GLOBALS.set(`torch.${name}`, new TorchDtype(name, dtype));
for (const name of INERT) allow(name, () => new Opaque());
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
allow('torch._tensor._rebuild_from_type_v2', ([build, , args]) => {
  if (!(build instanceof PickleGlobal) || !Array.isArray(args))
    throw new FormatError('a tensor in it is malformed');
  return build.call(args);
});

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

function rebuildTensor([storage, offset, size, stride]: PickleValue[], type?: PickleValue): TensorRef {
  if (!(storage instanceof StorageRef) || !isSizes(size) || !isSizes(stride) || !isCount(offset)) {
    throw new FormatError('a tensor in it is malformed');
  }
  const dtype = type instanceof TorchDtype ? type.dtype : storage.dtype;
  if (size.length !== stride.length)
    throw new FormatError('a tensor in it has other strides than dimensions');
  return new TensorRef(storage, dtype, offset, [...size], [...stride]); // later pickle code may change its lists
}

function isCount(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isSizes(value: PickleValue | undefined): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMENSIONS && value.every(isCount);
}

/** ('storage', type, key, device, elements[, view]), the view being (key, offset, elements) or None. */
function readStorageId(id: PickleValue): StorageRef {
  const [tag, type, key, , total, view] = Array.isArray(id) ? id : [];
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
  return new StorageRef(key, type.dtype ?? 'U8', offset, length, total);
}

/** What a PyTorch pickle may name: tensors, storages and containers. Anything else is a UserError. */
export function torchHost(file: string): PickleHost {
  return {
    global(module, name) {
      const full = `${module}.${name}`;
      const known = GLOBALS.get(full);
      if (known) return known;
      const shown = full.length > 100 ? `${full.slice(0, 100)}...` : full;
      throw new UserError(
        `${file} names the Python object ${shown.replace(/[^\x20-\x7e]/g, '?')}, which a file of weights does not need, ` +
          'so reading stopped and it was not run; if you trust the file, load it in PyTorch and save model.state_dict() alone.',
      );
    },
    persistent: readStorageId,
  };
}
