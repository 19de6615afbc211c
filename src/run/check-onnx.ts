import type { Normalisation } from '../train/evaluate';

/**
 * check.py of an ONNX model: runs merged.onnx in onnxruntime, repeats the preprocessing and compares the logits with those of
 * check.safetensors.
 */
export function onnxCheckScript({ mean, std }: Normalisation, output: string): string {
  const row = (values: readonly number[]) => `numpy.float32([${values.join(', ')}]).reshape(-1, 1, 1)`;
  return `"""Runs merged.onnx in onnxruntime and compares its answers with those of check.safetensors. Needs onnxruntime."""
import json, os, numpy, onnxruntime  # pip install onnxruntime

os.chdir(os.path.dirname(os.path.abspath(__file__)))
TYPES = dict(F32=numpy.float32, U8=numpy.uint8)


def read(path):  # safetensors: the length of the header, the header, the numbers
    raw = open(path, "rb").read()
    start, tensors = 8 + int.from_bytes(raw[:8], "little"), {}
    for name, about in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            begin, end = (start + at for at in about["data_offsets"])
            tensors[name] = numpy.frombuffer(raw[begin:end], TYPES[about["dtype"]]).reshape(about["shape"])
    return tensors


session = onnxruntime.InferenceSession("merged.onnx", providers=["CPUExecutionProvider"])
check = read("check.safetensors")
x = (check["images"].transpose(0, 3, 1, 2) / 255 - ${row(mean)}) / ${row(std)}
assert numpy.allclose(x, check["input"], atol=1e-4), "the preprocessing differs"
name = session.get_inputs()[0].name
# one by one: the model may take no other batch
logits = numpy.concatenate([session.run([${JSON.stringify(output)}], {name: image[None]})[0] for image in check["input"]])
error = abs(logits.reshape(check["logits"].shape) - check["logits"]).max() / abs(check["logits"]).max()
print("OK" if error < 1e-3 else "DIFFERS", f"by {error:.1e} of the largest logit")
raise SystemExit(not error < 1e-3)
`;
}
