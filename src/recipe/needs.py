"""What a recipe needs before it begins, and a sentence on what lacks in the place of a traceback."""
import fnmatch, os, sys

LEAST = (1, 13)  # of PyTorch


def end(text):
    sys.exit("train.py: " + text)


def libraries():
    try:
        import numpy, torch
    except ModuleNotFoundError as error:
        end(f"this Python ({sys.executable}) has no {error.name}; PyTorch 1.13 or later and NumPy are needed: pip install torch numpy")
    if tuple(int(part) for part in torch.__version__.split(".")[:2]) < LEAST:
        end(f"PyTorch {torch.__version__} is too old: 1.13 or later is needed (pip install --upgrade torch)")


def files(here, recipe):
    anew = f"Copy it from where the recipe was written, or write all files anew where the images are: refocus export-recipe {here} --out {here} --overwrite"
    for name, size in recipe["files"].items():
        path = os.path.join(here, name)
        if not os.path.exists(path):
            end(f"{path} is missing. {anew}")
        if os.path.getsize(path) != size:
            end(f"{path} has {os.path.getsize(path):,} bytes in the place of {size:,}. {anew}")


def device(name):
    import torch
    try:
        torch.zeros(1, device=name).item()
    except Exception as error:
        end(f"--device {name} cannot be used here ({str(error).splitlines()[0]}); --device cpu trains without a GPU")


def some(only, cells):
    if not any(fnmatch.fnmatch(cell["id"], only) for cell in cells):
        end(f"--only {only} is none of its runs, which are {', '.join(cell['id'] for cell in cells[:3])} ... {cells[-1]['id']}")
