"""Files: safetensors, results.json; each is whole whenever the process ends."""
import json, math, os
from datetime import datetime, timezone
import torch


def read_safetensors(path):  # the length of the header, the header, the numbers
    raw = bytearray(open(path, "rb").read())
    start, tensors = 8 + int.from_bytes(raw[:8], "little"), {}
    for name, about in json.loads(raw[8:start]).items():
        if name != "__metadata__":
            begin, end = (start + at for at in about["data_offsets"])
            tensors[name] = torch.frombuffer(raw[begin:end], dtype=torch.float32).reshape(about["shape"])
    return tensors


def write_safetensors(path, tensors, metadata):
    header, at = {"__metadata__": metadata}, 0
    for name, t in tensors.items():
        header[name] = dict(dtype="F32", shape=list(t.shape), data_offsets=[at, at + 4 * t.numel()])
        at += 4 * t.numel()
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    body = b"".join(t.float().contiguous().numpy().tobytes() for t in tensors.values())
    write_whole(path, len(head).to_bytes(8, "little") + head + body)


def write_whole(path, content):  # as it was, or all of it, whenever the process ends
    with open(path + ".part", "wb") as file:
        file.write(content)
    os.replace(path + ".part", path)


def chosen(recipe, arm, results):  # src/experiment/cells.ts: the highest accuracy, of equals the lowest loss; what diverged has lost; None as long as the search goes on
    cells = [cell for cell in recipe["cells"] if cell["kind"] == "search" and cell["arm"] == arm]
    tried = sorted((results[cell["id"]] for cell in cells if cell["id"] in results), key=lambda one: one["lr"])
    if not tried or len(tried) < len(cells):
        return None
    loss = lambda one: one["loss"] if one["loss"] is not None and math.isfinite(one["loss"]) else math.inf
    lost = lambda one: one["ended"] == "diverged"
    best = max((one for one in tried if not lost(one)), key=lambda one: (one["accuracy"], -loss(one)), default=None)
    return {"arm": arm, "tried": [{**{key: one[key] for key in ("lr", "accuracy", "loss")}, **({"diverged": True} if lost(one) else {})} for one in tried],
            **({"chosen": best["lr"]} if best else {}), "isAtEdge": len(tried) > 1 and best in (tried[0], tried[-1])}


def how_it_stands(recipe, results, out):
    left = len(recipe["cells"]) - len(results)
    rates = [chosen(recipe, arm["name"], results) for arm in recipe["experiment"]["arms"]]
    untrained = ", ".join(rate["arm"] for rate in rates if rate and "chosen" not in rate)
    if untrained:
        return f"{untrained}: not trained, nor what needs their rate or network, since they diverged at every rate that was tried. Begin another experiment with lower rates"
    if left:
        return f"{left} of {len(recipe['cells'])} runs are left: started again without --steps and --only, it goes on with them"
    return f"All runs are done: refocus report {out} makes tables and report"


def finite(value):  # JSON has no NaN
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_results(recipe, results, path):
    missing = [cell["id"] for cell in recipe["cells"] if cell["id"] not in results]
    rates = [chosen(recipe, arm["name"], results) for arm in recipe["experiment"]["arms"]]
    runs = [results[cell["id"]] for cell in recipe["cells"] if cell["kind"] == "run" and cell["id"] in results]
    date = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    # arms, comparisons and what differs follow from these: `refocus report` adds them
    content = {
        "format": "refocus experiment results", "version": 1, "experiment": recipe["experiment"], "date": date,
        "complete": not missing, "missing": missing, "rates": [rate for rate in rates if rate], "runs": runs,
        "arms": [], "comparisons": [], "unequal": [],
    }
    write_whole(path, json.dumps(content, indent=1).encode())
