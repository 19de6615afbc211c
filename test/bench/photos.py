"""
Photographs to time decoding with, and Pillow's own time for them: what docs/performance.md compares with.

    python3 test/bench/photos.py make DIR [COUNT]   COUNT JPEGs (3000) of 500 x 375 in ten folders of classes
    python3 test/bench/photos.py time DIR           images a second of Pillow on one core, by CPU time: Resize(224), CenterCrop(224)
"""
import random
import sys
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter

WIDTH, HEIGHT, SIDE, CLASSES = 500, 375, 224, 10


def photo(seed: int) -> Image.Image:
    """Shapes on a gradient under noise: about as many bytes as a photograph."""
    draw = random.Random(seed)
    small = Image.frombytes("RGB", (8, 6), draw.randbytes(8 * 6 * 3))
    image = small.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    pen = ImageDraw.Draw(image)
    for _ in range(12):
        x, y, w, h = draw.randrange(WIDTH), draw.randrange(HEIGHT), draw.randrange(20, 200), draw.randrange(20, 200)
        pen.ellipse((x, y, x + w, y + h), fill=tuple(draw.randbytes(3)))
    noise = Image.frombytes("RGB", (WIDTH, HEIGHT), draw.randbytes(WIDTH * HEIGHT * 3)).filter(ImageFilter.GaussianBlur(1))
    return Image.blend(image, noise, 0.25)


def make(folder: Path, count: int) -> None:
    for i in range(count):
        path = folder / f"class{i % CLASSES}" / f"{i:05}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        photo(i).save(path, quality=88)


def measure(folder: Path) -> None:
    paths = sorted(folder.rglob("*.jpg"))
    since = time.process_time()
    for path in paths:
        with Image.open(path) as file:
            image = file.convert("RGB")
        scale = SIDE / min(image.size)
        image = image.resize((int(image.width * scale), int(image.height * scale)), Image.Resampling.BILINEAR)
        left, top = round((image.width - SIDE) / 2), round((image.height - SIDE) / 2)
        image.crop((left, top, left + SIDE, top + SIDE)).load()
    seconds = time.process_time() - since
    print(f"{len(paths)} images, {len(paths) / seconds:.0f} images a second of CPU time")


if __name__ == "__main__":
    command, folder, *rest = sys.argv[1:]
    if command == "make":
        make(Path(folder), int(rest[0]) if rest else 3000)
    else:
        measure(Path(folder))
