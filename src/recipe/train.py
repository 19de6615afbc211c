"""Runs the experiment of this folder in PyTorch: the same images in the same order, crops, flips and dropout by seed as Refocus.

    python train.py                                one process, on a GPU where there is one
    torchrun --nproc_per_node 4 train.py           several, by DistributedDataParallel

Killed, it goes on at the very step when it is started again. `refocus report FOLDER` makes tables and report of results.json.
Needs PyTorch 1.13 or later and NumPy. recipe.json says what is done, in the words of Refocus' docs/experiments.md."""
import argparse, fnmatch, hashlib, io, json, math, os, statistics, time
import needs
needs.libraries()
import numpy as np, torch, torch.distributed as dist, torch.nn.functional as F
from concurrent.futures import ThreadPoolExecutor
from torch.nn.parallel import DistributedDataParallel
from draws import Images, batches_of, normalised, order_of
from files import chosen, finite, how_it_stands, read_safetensors, write_results, write_safetensors, write_whole
from network import Network, clip, divergence

HERE = os.path.dirname(os.path.abspath(__file__))
BESIDE, BASES = ThreadPoolExecutor(1), {}  # the loader of the next batch; what networks tell right before they are trained
RANK, WORLD, LAUNCHED = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)), "LOCAL_RANK" in os.environ
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--out", default=HERE, help="folder of the results; default: this one")
parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
parser.add_argument("--norms", choices=["sync", "local"], default="sync", help="batch norm's statistics: of all processes, or of each")
parser.add_argument("--tf32", action="store_true", help="faster convolutions with fewer digits")
parser.add_argument("--checkpoint-minutes", type=float, default=2, help="within an epoch; each ends with one too")
parser.add_argument("--only", default="*", help="runs by name, as runs/finetune-*")
parser.add_argument("--steps", type=int, default=0, help="leave each run after so many steps: their losses are in its metrics.jsonl")


def course(s, step, per_epoch):  # the rate of a step, whether a round but the first begins with it, and whether a warm-up has ended
    starts = [s["epochs"] * i // s["rounds"] for i in range(s["rounds"])] if s["method"] == "refocus" else [0]
    begin = max(start for start in starts if start * per_epoch <= step)
    steps = (min([start for start in starts if start > begin], default=s["epochs"]) - begin) * per_epoch
    at, half_up = step - begin * per_epoch, lambda v: math.floor(v + 0.5)
    warm = half_up(s["warmupEpochs"] * per_epoch) if s["schedule"] == "cosine" else 0
    if s["schedule"] == "constant":
        lr = s["lr"]
    elif s["schedule"] == "step":
        lr = s["lr"] * 0.1 ** sum(at >= half_up(steps * share) for share in (0.5, 0.75))
    elif at < warm:
        lr = s["lr"] * (5e-6 + (1 - 5e-6) * at / warm)
    else:
        lr = 5e-7 + (s["lr"] - 5e-7) * 0.5 * (1 + math.cos(math.pi * min(1, (at - warm) / max(1, steps - warm))))
    return lr, at == 0 and begin > 0, at == warm and step > 0


def optimizer_of(net, s, model):  # a group for each pair of factors of rate and decay
    vectors = {entry["name"] for entry in model["state"] if len(entry["shape"]) == 1}
    groups = {}
    for key, parameter in net.named_parameters():
        name = key.replace("/", ".")
        factors = s["headLr"] if name.startswith(recipe["model"]["head"] + ".") else 1, s["decayNorms"] or name not in vectors
        groups.setdefault(factors, []).append(parameter)
    groups = [dict(params=ps, factor=f, weight_decay=s["weightDecay"] * decays) for (f, decays), ps in groups.items()]
    if s["optimizer"] == "adamw":
        return torch.optim.AdamW(groups, lr=s["lr"])
    return torch.optim.SGD(groups, lr=s["lr"], momentum=s["momentum"], nesterov=s["nesterov"])


def total(values):  # over all processes
    if LAUNCHED:
        dist.all_reduce(values)
    return values


@torch.no_grad()
def evaluate(net, images, s):  # mean loss and share told right
    net.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=args.device)
    for at in np.array_split(np.arange(len(images.labels)), -(-len(images.labels) // 256))[RANK::WORLD]:
        x, y = (t.to(args.device) for t in images.batch(at, s))
        logits = net(normalised(x, s, recipe["model"]["channels"]))
        sums += torch.stack([F.cross_entropy(logits, y, reduction="sum"), (logits.argmax(1) == y).sum()])
    loss, right = (total(sums) / len(images.labels)).tolist()
    return dict(loss=loss, accuracy=right)


class Run:
    """A cell of the experiment: a base, a rate that is tried, or an arm with a seed."""

    def __init__(self, cell, rate):
        self.cell, self.s, self.model = cell, {**cell["settings"], "lr": rate}, recipe["models"][cell["model"]]
        self.folder = os.path.join(args.out, cell["id"])
        split, parts = recipe["search"] if cell["kind"] == "search" else None, recipe["images"]
        self.train = Images(HERE, "train", parts["train"]["crop"], split and split["train"])
        test = "train" if split else "test"
        self.test = Images(HERE, test, parts[test]["crop"], split and split["held"])
        if cell.get("from"):
            found, names = read_safetensors(os.path.join(args.out, cell["from"], "merged.safetensors")), recipe["written"]["names"]
            shapes = {entry["name"]: entry["shape"] for entry in recipe["model"]["state"]}
            self.loaded = {names[key]: t.reshape(shapes[names[key]]) for key, t in found.items()}
        else:
            self.loaded = read_safetensors(os.path.join(HERE, "base.safetensors"))
        has_norms = any(layer["kind"] == "batch_norm" for layer in recipe["model"]["layers"])
        self.batches = batches_of(len(self.train.labels), self.s, has_norms)
        self.per_epoch = self.s["repeats"] * len(self.batches)
        counts = np.bincount(self.train.labels, minlength=recipe["model"]["classes"])
        weights = np.where(counts > 0, len(self.train.labels) / (counts > 0).sum() / np.maximum(counts, 1), 0)
        self.weights = torch.tensor(weights, dtype=torch.float32, device=args.device) if self.s["balance"] == "loss" else None
        self.points, self.fresh, self.evals, self.paces = [], [], [], []
        self.order = self.ahead = None
        self.steps = self.per_epoch * self.s["epochs"]

    def begin(self, state):
        kaiming = self.s["method"] in ("refocus", "joint") and self.s["mapInit"] == "kaiming"
        self.net = Network(self.model, state, self.s["seed"], kaiming).to(args.device)
        self.net.sync = WORLD > 1 and args.norms == "sync"
        self.ddp = DistributedDataParallel(self.net, broadcast_buffers=False) if LAUNCHED else self.net
        self.optimizer = optimizer_of(self.net, self.s, self.model)

    def load(self, step):  # this process' rows of a batch, where they begin, and the batch
        number, place = divmod(step, len(self.batches))
        if place == 0 or self.order is None:
            self.order = order_of(len(self.train.labels), self.s["seed"], number)
        first, rows = self.batches[place]
        mine = np.array_split(np.arange(first, first + rows), WORLD)[RANK]
        images, labels = self.train.batch(self.order[mine], self.s, number, mine)
        return images, labels, mine[0] - first if len(mine) else 0, self.order[first:first + rows]

    def step(self, step):
        s, net = self.s, self.net
        images, labels, first, whole = self.ahead.result() if self.ahead else self.load(step)
        self.ahead = BESIDE.submit(self.load, step + 1) if step + 1 < self.steps else None  # while the device works
        images, labels, rows = images.to(args.device), labels.to(args.device), len(whole)
        net.train()
        net.first, net.rows, net.step = first, rows, step
        logits = self.ddp(normalised(images, s, recipe["model"]["channels"]))
        whole = rows if self.weights is None else self.weights[self.train.labels[whole]].sum()
        loss = F.cross_entropy(logits, labels, self.weights, reduction="sum", label_smoothing=s["labelSmoothing"]) / whole
        self.optimizer.zero_grad()
        (loss * WORLD).backward()  # DistributedDataParallel takes the mean
        if s["clipNorm"] > 0:
            clip(net, s["clipNorm"])
        lr = course(s, step, self.per_epoch)[0]
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group["factor"]
        self.optimizer.step()
        right = (logits.argmax(1) == labels).sum() / rows
        self.fresh.append((step + 1, lr, total(torch.stack([loss.detach(), right]))))

    def settle(self):  # what the device has measured
        for step, lr, figures in self.fresh:
            loss, accuracy = figures.tolist()
            self.points.append(dict(step=step, epoch=step / self.per_epoch, lr=lr, loss=loss, accuracy=accuracy))
        self.fresh = []
        return all(math.isfinite(point["loss"]) for point in self.points[-self.per_epoch:])

    def save(self, step):
        self.settle()
        if RANK > 0:
            return
        kept = dict(step=step, net=self.net.state_dict(), optimizer=self.optimizer.state_dict(), seconds=time.time() - self.began)
        file = io.BytesIO()
        torch.save({**kept, "points": self.points, "evals": self.evals, "paces": self.paces, "good": self.good}, file)
        write_whole(os.path.join(self.folder, "checkpoint.pt"), file.getvalue())

    def go_on(self):  # the step that the run had come to
        self.began, path = time.time(), os.path.join(self.folder, "checkpoint.pt")
        if not os.path.exists(path):
            return 0
        kept = torch.load(path, map_location="cpu")
        self.net.load_state_dict(kept["net"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.began -= kept["seconds"]
        self.points, self.evals, self.paces, self.good = (kept[name] for name in ("points", "evals", "paces", "good"))
        return kept["step"]

    def run(self):
        s, cell, channels = self.s, self.cell, recipe["model"]["channels"]
        os.makedirs(self.folder, exist_ok=True)
        knows = cell.get("from") or not recipe["newHead"]
        plain = lambda state: Network(recipe["model"], state, s["seed"]).to(args.device)
        start = plain(self.loaded)
        key = cell.get("from"), cell["kind"] == "search"
        if knows and key not in BASES:
            BASES[key] = evaluate(start, self.test, s)
        base = BASES.get(key)
        self.begin({} if s["method"] == "retrain" else self.loaded)
        self.good = self.net.merged()  # as it was tested last
        if torch.device(args.device).type == "cuda":
            torch.cuda.reset_peak_memory_stats()  # else a run would have the peak of those before it
        at, end, ended, since = self.go_on(), self.steps, "finished", time.time()
        for step in range(at, min(end, args.steps or end)):
            _, begins, warm = course(s, step, self.per_epoch)
            if begins:
                self.begin(self.net.merged())
            elif s["freshOptimizer"] and warm:
                self.optimizer = optimizer_of(self.net, s, self.model)
            began = began if step > at and step % self.per_epoch else time.perf_counter()
            self.step(step)
            if (step + 1) % self.per_epoch == 0:
                sound = self.settle()
                self.paces.append(1000 * (time.perf_counter() - began) / min(self.per_epoch, step + 1 - at))
                for buffer in self.net.buffers() if LAUNCHED else ():
                    dist.broadcast(buffer, 0)
                point = dict(step=step + 1, epoch=(step + 1) / self.per_epoch, **evaluate(self.net, self.test, s))
                if not sound or not math.isfinite(point["loss"]):
                    ended = "diverged"
                    break
                self.evals.append(point)
                self.good = self.net.merged()
                told = f"epoch {point['epoch']:g} of {s['epochs']}, {point['accuracy']:.2%}, {self.paces[-1]:.1f} ms a step"
            if (step + 1) % self.per_epoch == 0 or time.time() - since > 60 * args.checkpoint_minutes:
                tell(f"{cell['id']}: step {step + 1} of {end}" if (step + 1) % self.per_epoch else f"{cell['id']}: {told}")
                self.save(step + 1)
                since = time.time()
        self.settle()
        good = self.good
        if RANK == 0:
            lines = "".join(json.dumps(point) + "\n" for point in self.points)
            write_whole(os.path.join(self.folder, "metrics.jsonl"), lines.encode())
        if args.steps and args.steps < end:
            return None
        last = self.evals[-1] if self.evals else dict(step=0, epoch=0, **evaluate(plain(good), self.test, s))
        result = dict(arm=cell.get("arm"), seed=cell["seed"], folder=cell["id"], lr=s["lr"], ended=ended, loss=last["loss"])
        if cell["kind"] == "search":
            return {**result, **({"accuracy": 0.0, "loss": None} if ended == "diverged" else {"accuracy": last["accuracy"]})}
        about = {**recipe["written"]["about"], "method": s["method"], "seed": s["seed"]}
        metadata = {**recipe["written"]["metadata"], "refocus": json.dumps(about)}
        if ended == "diverged":
            tell(f"{cell['id']} diverged: its weights are those of epoch {last['epoch']:g}")
            self.net = plain(good)
        names, path = recipe["written"], os.path.join(self.folder, "merged.safetensors")
        if RANK == 0:
            write_safetensors(path, {key: good[name].reshape(names["shapes"][key]) for key, name in names["names"].items()}, metadata)
            digest = hashlib.sha256(open(path, "rb").read()).hexdigest()
        images, _ = self.test.batch(order_of(len(self.test.labels), 0, 0)[:256], s)
        with torch.no_grad():
            a, b = (net.eval()(normalised(images.to(args.device), s, channels)) for net in (self.net, plain(good)))
        error, agreed = ((a - b).abs().max() / a.abs().max()).item(), (a.argmax(1) == b.argmax(1)).double().mean().item()
        best = max([*self.evals, last], key=lambda point: point["accuracy"])
        stride, cuda = max(1, -(-len(self.points) // 100)), torch.device(args.device).type == "cuda"
        return {
            **result, "accuracy": {**({"base": base["accuracy"]} if base else {}), "last": last["accuracy"], "best": best["accuracy"]},
            "bestEpoch": best["epoch"], "testImages": len(self.test.labels), "steps": len(self.points),
            "stepMs": statistics.median(self.paces or [0]), "seconds": time.time() - self.began,
            **({"peakBytes": torch.cuda.max_memory_allocated()} if cuda else {}),
            "proof": {"ok": error < 1e-4, "maxRelLogitDiff": error, "top1Agreement": agreed}, **({"merged": digest} if RANK == 0 else {}),
            "divergence": [divergence(recipe["model"]["layers"], state) for state in (start.merged(), good)], "evals": self.evals,
            "training": [{key: p[key] for key in ("step", "loss", "accuracy")} for p in [*self.points[:-1:stride], self.points[-1]]],
            "adapter": f"{torch.cuda.get_device_name() if cuda else 'CPU'}, PyTorch {torch.__version__}, processes: {WORLD}",
            "version": recipe["refocus"],
        }


def tell(line):
    if RANK == 0:
        print(line, flush=True)


def main():
    results = {}
    for cell in recipe["cells"]:
        path, rate = os.path.join(args.out, cell["id"], "result.json"), cell["rate"]
        if os.path.exists(path):
            results[cell["id"]] = json.load(open(path))
            continue
        if isinstance(rate, dict):
            search = chosen(recipe, rate["arm"], results)
            rate = rate["times"] * search["chosen"] if search and "chosen" in search else None
        if rate is None or (cell.get("from") or cell["id"]) not in [*results, cell["id"]] or not fnmatch.fnmatch(cell["id"], args.only):
            continue
        result = finite(Run(cell, rate).run())
        if result is None:
            continue
        results[cell["id"]] = result
        if RANK == 0:
            write_whole(path, json.dumps(result).encode())
            if os.path.exists(os.path.join(args.out, cell["id"], "checkpoint.pt")):
                os.remove(os.path.join(args.out, cell["id"], "checkpoint.pt"))
            write_results(recipe, results, os.path.join(args.out, "results.json"))
        if LAUNCHED:
            dist.barrier()
    if RANK == 0:
        write_results(recipe, results, os.path.join(args.out, "results.json"))
    tell(how_it_stands(recipe, results, args.out))


if __name__ == "__main__":
    args = parser.parse_args()
    recipe = json.load(open(os.path.join(HERE, "recipe.json")))
    needs.files(HERE, recipe)
    cuda, cards = args.device.startswith("cuda"), torch.cuda.device_count()
    if LAUNCHED and cuda:  # a card each, before any is touched
        args.device = f"cuda:{int(os.environ['LOCAL_RANK']) % max(1, cards)}"
    needs.device(args.device)
    needs.some(args.only, recipe["cells"])
    os.makedirs(args.out, exist_ok=True)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = args.tf32
    torch.backends.cudnn.deterministic = True  # killed and started again, the same numbers on the same card
    if LAUNCHED:
        if cuda:
            torch.cuda.set_device(args.device)
        dist.init_process_group("nccl" if cuda and int(os.environ.get("LOCAL_WORLD_SIZE", 1)) <= cards else "gloo")  # NCCL: a card each
    main()
    if LAUNCHED:
        dist.destroy_process_group()
