"""Images, and all that is random, as functions of integers, to the bit those of Refocus: order, crops, flips, dropout, first weights."""
import math, os
import numpy as np, torch


def u32(v):
    return np.atleast_1d(np.asarray(v).astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


def pcg(v):
    s = v * np.uint32(747796405) + np.uint32(2891336453)
    w = ((s >> ((s >> np.uint32(28)) + np.uint32(4))) ^ s) * np.uint32(277803737)
    return (w >> np.uint32(22)) ^ w


def drawn(*keys):  # of images and dropout
    h = u32(0)
    for key in keys:
        h = pcg(u32(key) + h)
    return h


def order_of(count, seed, epoch):  # Fisher and Yates
    h, order = u32(0x9E3779B9), list(range(count))
    for key in (seed, epoch, np.arange(count)):
        h = pcg(h ^ u32(key))
    places = (h.astype(np.int64) % (np.arange(count) + 1)).tolist()
    for i in range(count - 1, 0, -1):
        order[i], order[places[i]] = order[places[i]], order[i]
    return np.array(order)


def uniforms(seed, name, count):  # of weights: a stream for each name
    state = u32(seed)
    for letter in name:
        state = pcg(state) ^ u32(ord(letter))
    powers = np.cumprod(np.full(count, 747796405, np.uint32), dtype=np.uint32)
    sums = np.cumsum(np.concatenate([u32(1), powers[:-1]]), dtype=np.uint32)
    states = np.concatenate([state, state * powers + np.uint32(2891336453) * sums])[:count]
    return (pcg(states).astype(np.float64) + 0.5) / 2**32


def normals(seed, name, count):  # Box and Muller
    u = uniforms(seed, name, count + count % 2)
    radius, angle = np.sqrt(-2 * np.log(u[::2])), 2 * np.pi * u[1::2]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).reshape(-1)[:count]


def initial(name, shape, init, seed):
    count = math.prod(shape)
    if init == "kaiming-normal":  # over fan-out
        values = normals(seed, name, count) * math.sqrt(2 / (shape[0] * math.prod(shape[2:])))
    elif "normal" in init:
        values = normals(seed, name, count) * init["normal"]
    elif "uniform" in init:
        values = (2 * uniforms(seed, name, count) - 1) * init["uniform"]
    else:
        values = np.full(count, init["constant"] if "constant" in init else float(init == "ones"))
    return torch.tensor(values.reshape(shape), dtype=torch.float32)


class Images:
    """Those of an index among a part's, all by default. crop: what a test sees of each, and the size of a batch's."""

    def __init__(self, folder, part, crop, index=None):
        self.pixels, labels = (np.load(os.path.join(folder, f"{part}-{what}.npy"), mmap_mode="r") for what in ("images", "labels"))
        self.index = np.arange(len(labels)) if index is None else np.array(index)
        self.labels, self.crop = np.array(labels)[self.index].astype(np.int64), crop

    def batch(self, at, s, epoch=0, positions=None):
        """The images `at`, bytes [n, h, w, 3], and labels; cropped and flipped by where they stand in an epoch's order, if they do."""
        (_, stored_h, stored_w, _), crop, n = self.pixels.shape, self.crop, len(at)
        rows, columns = (np.tile(np.arange(crop[side]), (n, 1)) for side in ("height", "width"))
        pad = s["cropPadding"] if positions is not None else 0
        draw = lambda which: drawn(s["seed"], epoch, positions, which)
        place = lambda which, stored, size: (draw(which).astype(np.int64) % (stored - size + 2 * pad + 1) - pad)[:, None]
        mirrored = lambda which: (draw(which) >> np.uint32(31) == 1)[:, None]
        if positions is not None:
            columns = np.where(mirrored(2), columns[:, ::-1], columns) if s["flip"] else columns
            rows = np.where(mirrored(3), rows[:, ::-1], rows) if s["verticalFlip"] else rows
        rows = rows + (place(0, stored_h, crop["height"]) if pad else crop["top"])
        columns = columns + (place(1, stored_w, crop["width"]) if pad else crop["left"])
        inside = ((rows >= 0) & (rows < stored_h))[:, :, None] & ((columns >= 0) & (columns < stored_w))[:, None]
        rows, columns = rows.clip(0, stored_h - 1)[:, :, None], columns.clip(0, stored_w - 1)[:, None]
        x = self.pixels[self.index[at][:, None, None], rows, columns] * inside[..., None]
        return torch.from_numpy(np.ascontiguousarray(x)), torch.from_numpy(self.labels[at])


def normalised(x, s, channels):
    x, mean, std = x.permute(0, 3, 1, 2), *(torch.tensor(s[which], device=x.device)[:, None, None] for which in ("mean", "std"))
    if channels == 1:  # Pillow's gray
        x = (x.int() * torch.tensor([[[19595]], [[38470]], [[7471]]], device=x.device)).sum(1, keepdim=True) + 32768 >> 16
        mean, std = mean.mean(0), std.mean(0)
    return (x.float() / 255 - mean) / std


def batches_of(count, s, has_norms):  # of a pass: where in its order each begins, and how many images it has
    whole = min(s["batch"], count)
    lefts = [count - i * whole for i in range(count // whole if s["dropLast"] else -(-count // whole))]
    rows = [2 if left == 1 and whole > 1 and has_norms else min(whole, left) for left in lefts]
    return [(min(i * whole, count - n), n) for i, n in enumerate(rows)]
