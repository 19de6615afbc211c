import { ofChannels } from '../data/pixels';
import type { Model } from '../model/model';
import { modulesOf } from '../model/recognise/match';
import type { Normalisation } from '../train/evaluate';
import { pytorchNetwork } from './pytorch-network';

/** What check.py has to know of the network that it loads. */
export interface CheckedNetwork extends Normalisation {
  model: Model;
  /** whose names the weights have */
  publisher: string;
  /** what stands before all names in the file */
  prefix: string;
  /** the publisher's name of the classifier, without the prefix */
  head: string;
  /** the model's name of each tensor of the file that the model has */
  names: ReadonlyMap<string, string>;
}

/**
 * check.py: builds the network in PyTorch, loads the merged weights with strict=True, repeats the preprocessing and compares
 * the logits with those of check.safetensors.
 * @param weights the file's name, .safetensors or .pth
 */
export function checkScript(network: CheckedNetwork, weights: string): string {
  const { modules, lines, prepares = [] } = pytorchNetwork(network.model, network.publisher);
  const needs = ['torch', ...modules];
  const { channels } = network.model.input;
  const perChannel = (values: readonly number[]) =>
    `torch.tensor([${ofChannels(values, channels).join(', ')}]).view(${channels}, 1, 1)`;
  const images =
    channels === 1
      ? '(check["images"].long() @ torch.tensor([19595, 38470, 7471]) + 32768 >> 16).unsqueeze(1)'
      : 'check["images"].permute(0, 3, 1, 2)';
  const load = weights.endsWith('.pth')
    ? `torch.load("${weights}", map_location="cpu")`
    : `read("${weights}")`;
  return `"""Loads ${weights} into PyTorch and compares its answers with those of check.safetensors. Needs ${needs.join(' and ')}."""
import json, os, ${needs.join(', ')}  # pip install ${needs.join(' ')}

os.chdir(os.path.dirname(os.path.abspath(__file__)))
TYPES = dict(F64=torch.float64, F32=torch.float32, F16=torch.float16, BF16=torch.bfloat16, I64=torch.int64, I32=torch.int32, U8=torch.uint8)


def read(path):  # safetensors: the length of the header, the header, the numbers
    raw = bytearray(open(path, "rb").read())
    start, tensors = 8 + int.from_bytes(raw[:8], "little"), {}
    for name, about in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            begin, end = (start + at for at in about["data_offsets"])
            tensors[name] = torch.frombuffer(raw[begin:end], dtype=TYPES[about["dtype"]]).reshape(about["shape"])
    return tensors


${lines.join('\n')}
state = ${load}
${[...renaming(network), ...prepares].map((line) => `${line}\n`).join('')}net.load_state_dict(state, strict=True)
check = read("check.safetensors")
x = (${images} / 255 - ${perChannel(network.mean)}) / ${perChannel(network.std)}
assert torch.allclose(x, check["input"], atol=1e-4), "the preprocessing differs"
with torch.no_grad():
    logits = net.eval()(x)
error = ((logits - check["logits"]).abs().max() / check["logits"].abs().max()).item()
print("OK" if error < 1e-3 else "DIFFERS", f"by {error:.1e} of the largest logit")
raise SystemExit(not error < 1e-3)
`;
}

/** Takes the prefix off, and gives modules the names that PyTorch's network has for them. */
function renaming({ model, publisher, prefix, head, names }: CheckedNetwork): string[] {
  const bare = (name: string) => (name.startsWith(prefix) ? name.slice(prefix.length) : name);
  const lines =
    prefix === '' ? [] : [`state = {name.removeprefix(${python(prefix)}): t for name, t in state.items()}`];
  // names of other publishers are those of their own networks, but for a classifier that stood outside the network
  const isZoo = publisher === 'torchvision' || publisher === 'akamaster';
  const pairs = [...names]
    .map(([key, name]) => [modulesOf([bare(key)])[0], modulesOf([name])[0]])
    .filter(([, name]) => isZoo || name === model.head.name)
    .map(([key, name]) => [key, isZoo ? name : head])
    .filter(([key, name]) => key !== name);
  if (pairs.length === 0) return lines;
  const modules = Object.fromEntries(pairs);
  return [
    ...lines,
    `new = json.loads(${python(JSON.stringify(modules))})`,
    'parted = {name.rpartition("."): t for name, t in state.items()}',
    'state = {f"{new.get(module, module)}.{leaf}": t for (module, _, leaf), t in parted.items()}',
  ];
}

/** A text as Python writes it: JSON's escapes are Python's. */
const python = (text: string): string => JSON.stringify(text);
