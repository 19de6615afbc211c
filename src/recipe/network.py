"""A network of recipe.json in PyTorch: its layers one by one, convolutions plain, refocused or preconditioned. Images are NCHW."""
import copy, math
import numpy as np, torch, torch.nn.functional as F
from torch.distributed.nn.functional import all_reduce
from draws import drawn, initial, normals

ACTIVATIONS = dict(
    none=lambda x: x, relu=F.relu, relu6=F.relu6, hardswish=F.hardswish, hardsigmoid=F.hardsigmoid, silu=F.silu, mish=F.mish,
    sigmoid=torch.sigmoid, gelu=F.gelu, gelu_tanh=lambda x: F.gelu(x, approximate="tanh"), elu=F.elu, tanh=torch.tanh,
    softplus=F.softplus, negative=lambda x: x.clamp(max=0),
    rsqrt=lambda x: torch.where(x > 0, x.clamp(min=1e-38).rsqrt(), torch.zeros_like(x)),
)


def apply(layer, get, x, *others):
    """Any layer but convolutions, batch norms and what drops at random. `get` gives the state's tensor of a name; images are NCHW."""
    kind = layer["kind"]
    own = lambda leaf: get(f"{layer['name']}.{leaf}")
    pad = layer.get("padding", 0)
    if kind == "linear":
        x = x.flatten(1)[:, :, None, None] if "pixels" in layer else x
        return F.linear(x.permute(0, 2, 3, 1), own("weight"), own("bias")).permute(0, 3, 1, 2)
    if kind == "layer_norm":
        return F.layer_norm(x.permute(0, 2, 3, 1), x.shape[1:2], own("weight"), own("bias"), layer["eps"]).permute(0, 3, 1, 2)
    if kind == "global_response_norm":
        size = x.norm(dim=(2, 3), keepdim=True)
        response = size / (size.mean(1, keepdim=True) + layer["eps"])
        return x * (1 + own("weight")[:, None, None] * response) + own("bias")[:, None, None]
    if kind == "activation":
        return ACTIVATIONS[layer["activation"]](x)
    if kind == "max_pool":
        x, pad = (padded(layer, x, -math.inf), 0) if "paddingEnd" in layer else (x, pad)
        return F.max_pool2d(x, layer["kernel"], layer["stride"], pad, ceil_mode=layer["ceilMode"])
    if kind == "avg_pool":
        pool = lambda t, p: F.avg_pool2d(t, layer["kernel"], layer["stride"], p, layer["ceilMode"], layer["countIncludePad"])
        if "paddingEnd" not in layer:
            return pool(x, pad)
        share = 1 if layer["countIncludePad"] else pool(padded(layer, torch.ones_like(x[:1, :1])), 0)
        return pool(padded(layer, x), 0) / share
    if kind in ("global_avg_pool", "adaptive_avg_pool"):
        return F.adaptive_avg_pool2d(x, layer.get("size", 1))
    if kind == "upsample":
        return F.interpolate(x, scale_factor=layer["scale"])
    if kind == "add":
        return x + others[0]
    if kind == "mul":
        return x * (get(layer["weight"]).reshape(-1, 1, 1) if "weight" in layer else others[0]) * layer.get("factor", 1)
    if kind == "concat":
        return torch.cat([x, *others], 1)
    if kind == "replace":
        return torch.cat([others[0], x[:, others[0].shape[1]:]], 1)
    if kind == "slice":
        return x[:, layer["start"]:layer["end"]]
    if kind == "shuffle":
        n, c, h, w = x.shape
        return x.reshape(n, layer["groups"], -1, h, w).transpose(1, 2).reshape(n, c, h, w)
    if kind in ("depth_to_space", "space_to_depth"):
        return blocks(x, layer["block"], layer["order"], kind == "space_to_depth")
    if kind == "subsample":
        after = layer["channels"] - layer["before"] - x.shape[1]
        return F.pad(x[:, :, ::layer["stride"], ::layer["stride"]], (0, 0, 0, 0, layer["before"], after))
    raise SystemExit(f"layers.py knows no layer of the kind {kind}: export the recipe again with the Refocus that it is of.")


def blocks(x, block, order, gathers):  # channels as blocks of pixels, or these as channels: channel, row and column count by the order
    n, c, h, w = x.shape
    if gathers:
        axes = dict(c=1, h=3, w=5)
        return x.reshape(n, c, h // block, block, w // block, block).permute(0, *(axes[a] for a in order), 2, 4).reshape(n, -1, h // block, w // block)
    axes = {a: 1 + i for i, a in enumerate(order)}
    apart = x.reshape(n, *(c // block**2 if a == "c" else block for a in order), h, w)
    return apart.permute(0, axes["c"], 4, axes["h"], 5, axes["w"]).reshape(n, c // block**2, h * block, w * block)


def padded(layer, x, value=0.0):
    (top, left), (bottom, right) = layer["padding"], layer["paddingEnd"]
    return F.pad(x, (left, right, top, bottom), value=value)


# RefConv: kernels are planes of taps, W_t = W_b + conv2d(W_b, W_r); the factored form trains M of W_r = a W_r0 + M B^T.
def gram(planes, group, shape, k):  # B^T B of the im2col B of each group of planes, [groups, taps, taps]
    columns = F.unfold(planes.double().reshape(-1, 1, *shape[2:]), k, padding=k // 2)
    columns = columns.reshape(-1, group * k * k, columns.shape[-1])
    return columns.transpose(1, 2) @ columns


def mapped(kernel, weight):  # conv2d(W_b, W_r), the planes of W_b as channels of one image
    planes, group, k, _ = weight.shape
    image = kernel.reshape(1, planes, *kernel.shape[2:])
    return F.conv2d(image, weight, padding=k // 2, groups=planes // group).reshape(kernel.shape)


def times(kernel, matrices):  # each plane times its group's matrix
    return (kernel.reshape(len(matrices), -1, matrices.shape[-1]) @ matrices).reshape(kernel.shape)


def preconditioner(layer, kernel, seed):  # docs/method.md says what each is the control of
    kind, taps = layer["precondition"]["matrix"], math.prod(layer["shape"][2:])
    grams = gram(kernel, 1 if kind == "own" else layer["groups"], layer["shape"], layer["precondition"]["mapKernel"])
    diagonal = grams.diagonal(dim1=1, dim2=2)
    if kind == "random":
        q, r = np.linalg.qr(normals(seed, layer["name"], taps * taps).reshape(taps, taps).T)
        rotation = torch.tensor((q * np.sign(np.diag(r))).T)
        return rotation @ grams @ rotation.T
    scaled = lambda traces: torch.eye(taps, dtype=torch.float64) * traces[:, None, None] / taps
    return dict(gram=lambda: grams, own=lambda: grams * layer["groups"], diagonal=lambda: torch.diag_embed(diagonal),
                identity=lambda: scaled(diagonal.sum(1)), layer=lambda: scaled(diagonal.sum().reshape(1) / len(grams)))[kind]()


class Network(torch.nn.Module):
    """A model of recipe.json. `forward` is given the rows from `first` on of the batch of `rows` of `step`."""

    def __init__(self, model, state, seed=0, kaiming=False):
        super().__init__()
        self.layers, self.logits, self.seed, self.factored = model["layers"], model["logits"], seed, {}
        self.first = self.rows = self.step = 0
        self.sync = False
        for entry in model["state"]:
            name, shape, init = entry["name"], entry["shape"], entry["init"]
            if init == "map":
                init = {"uniform": math.prod(shape[1:]) ** -0.5} if kaiming else "zeros"
            self.hold(name, state[name].clone() if name in state else initial(name, shape, init, seed), entry["role"] == "parameter")
        self.plain = [entry["name"] for entry in model["state"] if entry["init"] != "map" and ".branches." not in entry["name"]]
        for layer in self.layers:
            if layer.get("precondition"):
                name = layer["name"] + ".weight"
                self.hold(name + ".preconditioner", preconditioner(layer, self.get(name), seed).float(), False)
            if layer.get("refconv", {}).get("path") == "factored":
                self.factor(layer["name"], layer["shape"], layer["groups"], layer["refconv"], state)

    def factor(self, name, shape, group, refconv, state):
        kernel, names = self.get(name + ".weight"), [f"{name}.convmap.{leaf}" for leaf in ("factor", "gram", "start", "weight")]
        k = refconv["mapKernel"]
        self.factored[names[0]] = names[1]
        self.hold(names[0], torch.zeros(shape), True)
        self.hold(names[1], gram(kernel, group, shape, k).float(), False)
        if refconv["startsNonZero"]:
            start = state.get(names[3])
            if start is None:
                start = initial(names[3], [shape[0] * shape[1], group, k, k], {"uniform": (group * k * k) ** -0.5}, self.seed)
            self.hold(names[2], mapped(kernel.double(), start.double()).float(), False)
            if not hasattr(self, "convmap/scale"):
                self.hold("convmap.scale", torch.ones(1), True)

    def hold(self, name, value, trains):  # PyTorch wants no dots
        name = name.replace(".", "/")
        self.register_parameter(name, torch.nn.Parameter(value)) if trains else self.register_buffer(name, value)

    def get(self, name):
        return getattr(self, name.replace(".", "/"))

    def kernel(self, layer, to=lambda t: t):
        """The weight that a convolution convolves with. a.detach() + f(b - b.detach()) has the value of a and the gradient of f(b)."""
        get = lambda leaf: to(self.get(layer["name"] + leaf))
        w, refconv = get(".weight"), layer.get("refconv")
        if layer.get("precondition"):
            change = get(".weight.change")
            return w + change.detach() + times(change - change.detach(), get(".weight.preconditioner"))
        if not refconv:
            return w
        basis = w if refconv["identity"] else 0
        if refconv["path"] == "dense":
            return basis + mapped(w, get(".convmap.weight"))
        m = get(".convmap.factor")  # a gradient dW of the kernel moves M by dW itself; a decays alone
        kernel = basis + times(m.detach(), get(".convmap.gram")) + (m - m.detach())
        if refconv["startsNonZero"]:
            a = to(self.get("convmap.scale"))
            kernel = kernel + (a.detach() + 0 * (a - a.detach())) * get(".convmap.start")
        return kernel

    def norm(self, layer, x):
        w, b, mean, var = (self.get(f"{layer['name']}.{leaf}") for leaf in ("weight", "bias", "running_mean", "running_var"))
        training = self.training and (w.requires_grad or b.requires_grad)
        if not self.sync or not training:
            return F.batch_norm(x, mean, var, w, b, training, layer["momentum"], layer["eps"])
        count = self.rows * x.shape[2] * x.shape[3]
        batch_mean = all_reduce(x.sum((0, 2, 3))) / count
        centred = x - batch_mean[:, None, None]
        batch_var = all_reduce((centred * centred).sum((0, 2, 3))) / count
        with torch.no_grad():
            mean.lerp_(batch_mean, layer["momentum"])
            var.lerp_(batch_var * count / (count - 1), layer["momentum"])
        return centred * (torch.rsqrt(batch_var + layer["eps"]) * w)[:, None, None] + b[:, None, None]

    def drop(self, layer, x):
        n, c, h, w = x.shape
        places = np.arange(self.first, self.first + n).reshape(-1, 1, 1, 1)
        if layer["kind"] == "dropout":  # elements are counted as Refocus keeps them: NHWC, channels padded to fours
            places = ((places * h + np.arange(h).reshape(-1, 1)) * w + np.arange(w)) * (c + -c % 4) + np.arange(c).reshape(-1, 1, 1)
        draws = (drawn(self.seed, self.step, layer["key"], places) >> np.uint32(8)).astype(np.float32) / 2**24
        mask = torch.from_numpy(draws >= np.float32(layer["p"])).to(x.device)
        return x * mask / (1 - layer["p"]) if layer["p"] < 1 else x * 0

    def forward(self, x):
        return self.value(self.logits, {0: x}, self.layers).flatten(1)

    def value(self, wanted, values, layers):
        """The value of that number, from others by those of the layers that can be reckoned."""
        last = {i: layer["id"] for layer in layers for i in layer["inputs"]}
        for layer in layers:
            if not all(i in values for i in layer["inputs"]):
                continue
            x, *others = (values[i] for i in layer["inputs"])
            if layer["kind"] == "conv":
                bias, pad = self.get(layer["name"] + ".bias") if layer["bias"] else None, layer["padding"]
                x, pad = (padded(layer, x), 0) if "paddingEnd" in layer else (x, pad)
                x = F.conv2d(x, self.kernel(layer), bias, layer["stride"], pad, layer["dilation"], layer["groups"])
            elif layer["kind"] == "batch_norm":
                x = ACTIVATIONS[layer["activation"]](self.norm(layer, x))
            elif layer["kind"] in ("dropout", "stochastic_depth"):
                x = self.drop(layer, x) if self.training and layer["p"] > 0 else x
            else:
                x = apply(layer, self.get, x, *others)
            if layer["id"] == wanted:
                return x
            values[layer["id"]] = x
            for i in layer["inputs"]:
                if last[i] == layer["id"]:
                    values.pop(i, None)

    def merged(self):
        """The plain network's state: kernels made in float64, branches by what they make of single pixels."""
        names = [f"{layer['name']}.weight" for layer in self.layers if layer["kind"] == "conv"]
        made = dict(zip(names, [self.kernel(layer, torch.Tensor.double) for layer in self.layers if layer["kind"] == "conv"]))
        if any("branches" in layer for layer in self.layers):
            exact = copy.deepcopy(self).double().eval()
            for place, layer in enumerate(self.layers):
                if "branches" in layer:
                    made.update(exact.one_kernel(layer, self.layers[place:]))
        return {name: made.get(name, self.get(name)).detach().float().cpu() for name in self.plain}

    @torch.no_grad()
    def one_kernel(self, conv, layers):
        """What a convolution, its branches and their norms are: one kernel, and what takes up the shifts (src/model/merge-branches.ts)."""
        (o, per_group, kh, kw), name, norm = conv["shape"], conv["name"], conv["branches"].get("norm")
        start = [-(-pad // stride) * stride - pad for pad, stride in zip(conv["padding"], conv["stride"])]
        taps = torch.eye(per_group * kh * kw, dtype=torch.float64, device=self.get(name + ".weight").device)
        images = taps.new_zeros(len(taps) + 1, conv["groups"], per_group, 2 * kh + 4, 2 * kw + 4)  # the first is black
        images[1:, :, :, start[0]:start[0] + kh, start[1]:start[1] + kw] = taps.reshape(-1, 1, per_group, kh, kw)
        place = [-(-pad // stride) for pad, stride in zip(conv["padding"], conv["stride"])]
        sums = self.value(conv["sum"], {conv["inputs"][0]: images.flatten(1, 2)}, layers)[:, :, place[0], place[1]]
        shift, kernel = sums[0], (sums[1:] - sums[0]).T.reshape(o, per_group, kh, kw)
        if not norm:
            return {name + ".weight": kernel, **({name + ".bias": shift} if conv["bias"] else {})}
        weight, mean, var = (self.get(f"{norm['name']}.{leaf}").clone() for leaf in ("weight", "running_mean", "running_var"))
        scale = weight / (var + norm["eps"]).sqrt()
        dead = scale.abs() <= 1e-3 * scale.abs().max()  # dividing by it would only lift rounding
        scale, weight = torch.where(dead, torch.ones_like(scale), scale), torch.where(dead, (var + norm["eps"]).sqrt(), weight)
        before = self.get(name + ".bias") if conv["bias"] else 0
        bias = shift + (mean - before) * scale
        return {name + ".weight": kernel / scale[:, None, None, None], norm["name"] + ".weight": weight, norm["name"] + ".bias": bias}


def divergence(layers, state):  # mean over layers of how differently their kernels are shaped, nats
    found = []
    for layer in layers:
        if layer["kind"] == "conv" and max(layer["shape"][2:]) > 1:
            log_p = F.log_softmax(state[layer["name"] + ".weight"].double().reshape(-1, math.prod(layer["shape"][2:])), 1)
            n, p = len(log_p), log_p.exp()
            pairs = n * (p * log_p).sum() - (p.sum(0) * log_p.sum(0)).sum()
            found.append(max(0.0, pairs.item()) / max(1, n * (n - 1)))
    return sum(found) / len(found) if found else None


def clip(net, most):  # the norm of the maps' gradients, whichever form they have
    squares = 0
    for key, parameter in net.named_parameters():
        g, matrix = parameter.grad, net.factored.get(key.replace("/", "."))
        squares = squares + (g * (times(g, net.get(matrix)) if matrix else g)).sum()
    factor = (most / (squares.clamp(min=0).sqrt() + 1e-6)).clamp(max=1)
    for parameter in net.parameters():
        parameter.grad.mul_(factor)
