"""
PyTorch's time on the CPU for what `npm run bench` measures, on the same numbers: what docs/benchmark.md compares with.

    python3 test/bench/pytorch.py CASE... [--threads 2] [--reps 9]

CASE: mbv2-train-b32, mbv2-train-b128, resnet20-train-b128, convnext-14x14x96-fwdbwd. Prints the median of a step in milliseconds, and
the first losses, or the sums of absolute values of the block's output and gradients, to be compared with the benchmark's.
"""
import argparse
import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

IMAGE_SIZE, CLASSES = 32, 10
STAGES = [(1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]


def uniform(shape, seed, scale=1.0, offset=0.0):
    """src/bench/numbers.ts: mulberry32."""
    u32 = np.uint32
    with np.errstate(over="ignore"):
        state = u32(seed) + np.arange(1, int(np.prod(shape)) + 1, dtype=np.uint64).astype(u32) * u32(0x6D2B79F5)
        t = (state ^ (state >> u32(15))) * (state | u32(1))
        t ^= t + (t ^ (t >> u32(7))) * (t | u32(61))
        bits = t ^ (t >> u32(14))
    numbers = (bits / 2.0**31 - 1) * scale + offset
    return torch.from_numpy(numbers.astype(np.float32).reshape(shape))


def divisible(v):
    rounded = max(8, int(v + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * v else rounded


class Layer(nn.Module):
    """A convolution, its batch norm, what is added to it, its activation; weights as src/bench/network.ts has them."""

    def __init__(self, index, ci, co, k, stride=1, groups=1, act=None, save=False, add=False):
        super().__init__()
        self.conv = nn.Conv2d(ci, co, k, stride, k // 2, groups=groups, bias=False)
        self.norm = nn.BatchNorm2d(co)
        self.act, self.save, self.add = act, save, add
        shape = self.conv.weight.shape
        self.conv.weight.data = uniform(shape, 1000 + index, (6 / np.prod(shape[1:])) ** 0.5)

    def forward(self, x, saved):
        y = self.norm(self.conv(x))
        if self.add:
            around = (y.shape[1] - saved.shape[1]) // 2
            y = y + (saved if around == 0 else F.pad(saved[:, :, ::2, ::2], (0, 0, 0, 0, around, around)))
        return self.act(y) if self.act else y


class Network(nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        features = layers[-1].norm.num_features
        self.classifier = nn.Linear(features, CLASSES)
        self.classifier.weight.data = uniform((CLASSES, features), 9001, (3 / features) ** 0.5)
        self.classifier.bias.data.zero_()

    def forward(self, y):
        saved = None
        for layer in self.layers:
            if layer.save:
                saved = y
            y = layer(y, saved)
        return self.classifier(y.mean((2, 3)))


def mobilenet():
    layers = []

    def add(ci, co, k, **options):
        layers.append(Layer(len(layers), ci, co, k, **options))
        return co

    act = F.relu6
    c = add(3, divisible(32 * 0.35), 3, act=act)
    for expansion, width, blocks, first in STAGES:
        out = divisible(width * 0.35)
        for block in range(blocks):
            stride = 1 if block else first
            residual = stride == 1 and c == out
            hidden = c * expansion
            if expansion > 1:
                c = add(c, hidden, 1, act=act, save=residual)
            c = add(c, hidden, 3, stride=stride, groups=hidden, act=act, save=residual and expansion == 1)
            c = add(c, out, 1, add=residual)
    add(c, 1280, 1, act=act)
    return Network(layers)


def resnet20():
    layers = [Layer(0, 3, 16, 3, act=F.relu)]
    c = 16
    for width in (16, 32, 64):
        for _ in range(3):
            layers.append(Layer(len(layers), c, width, 3, stride=2 if width > c else 1, act=F.relu, save=True))
            layers.append(Layer(len(layers), width, width, 3, act=F.relu, add=True))
            c = width
    return Network(layers)


def train(network, batch):
    images = uniform((batch, IMAGE_SIZE, IMAGE_SIZE, 3), 77, 1.7).permute(0, 3, 1, 2).contiguous()
    labels = torch.arange(batch) * 7 % 10
    labels = (labels + 3) % 10
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step():
        optimizer.zero_grad()
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return [loss.item()]

    return step


def convnext(n, h, c):
    """src/bench/convnext.ts."""
    k = 7
    seeds = iter(range(3, 20))
    scales = [1 / k, 1, 0.5, 1, c**-0.5, 1, (4 * c) ** -0.5, 1, 0.5]
    shapes = [(k, k, c), (c,), (c,), (c,), (c, 4 * c), (4 * c,), (4 * c, c), (c,), (c,)]
    offsets = [0, 0, 1, 0, 0, 0, 0, 0, 1]
    weights = [uniform(s, next(seeds), scale, offset) for s, scale, offset in zip(shapes, scales, offsets)]
    # torch's orders: [c, 1, k, k] and [out, in]
    weights[0] = weights[0].permute(2, 0, 1).unsqueeze(1)
    weights[4], weights[6] = weights[4].T, weights[6].T
    image = lambda seed: uniform((n, h, h, c), seed).permute(0, 3, 1, 2)
    inputs = [w.contiguous().requires_grad_() for w in [image(1), *weights]]
    dy = image(3).contiguous()

    def step():
        x, depthwise, depthwise_bias, gain, shift, fc1, bias1, fc2, bias2, scale = inputs
        y = F.conv2d(x, depthwise, depthwise_bias, padding=k // 2, groups=c).permute(0, 2, 3, 1)
        y = F.layer_norm(y, (c,), gain, shift, 1e-6)
        y = F.linear(F.gelu(F.linear(y, fc1, bias1)), fc2, bias2) * scale
        y = y.permute(0, 3, 1, 2) + x
        gradients = torch.autograd.grad(y, inputs, dy)
        return [y, *gradients]

    return step


CASES = {
    "mbv2-train-b32": lambda: train(mobilenet(), 32),
    "mbv2-train-b128": lambda: train(mobilenet(), 128),
    "resnet20-train-b128": lambda: train(resnet20(), 128),
    "convnext-14x14x96-fwdbwd": lambda: convnext(32, 14, 96),
}


def measure(name, reps):
    step = CASES[name]()
    results, times = [], []
    for _ in range(reps + 2):
        since = time.perf_counter()
        results.append(step())
        times.append(time.perf_counter() - since)
    losses = name.startswith(("mbv2", "resnet"))
    value = [r[0] for r in results[:4]] if losses else [t.detach().abs().double().sum().item() for t in results[0]]
    median = statistics.median(times[2:]) * 1e3
    print(f"{name}: {median:.4g} ms, {torch.get_num_threads()} threads, PyTorch {torch.__version__}")
    print("  " + ", ".join(f"{v:.6g}" for v in value))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="CASE")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--reps", type=int, default=9)
    options = parser.parse_args()
    unknown = [name for name in options.cases if name not in CASES]
    if unknown:
        parser.error(f"no case {unknown[0]}: choose of {', '.join(CASES)}")
    torch.set_num_threads(options.threads)
    for name in options.cases:
        measure(name, options.reps)
