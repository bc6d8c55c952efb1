"""Pictures as people with deuteranopia see them (Machado, Oliveira & Fernandes 2009, severity 1).

    python benchmarks/deuteranopia.py docs/gallery/first-screen-vi.png docs/gallery/workbench.png

Writes ``NAME-deuteranopia.png`` beside each picture.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

MATRIX = np.array(
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
)
COLOURS = 128  # of the written palette


def seen(picture: Image.Image) -> Image.Image:
    """The picture as it looks with deuteranopia."""
    values = np.asarray(picture.convert("RGB"), dtype=np.float64) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    turned = np.clip(linear @ MATRIX.T, 0.0, 1.0)
    shown = np.where(turned <= 0.0031308, 12.92 * turned, 1.055 * turned ** (1 / 2.4) - 0.055)
    return Image.fromarray(np.round(255 * shown).astype(np.uint8))


def main() -> None:
    """Read the arguments and write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path, nargs="+")
    for path in parser.parse_args().pictures:
        target = path.with_name(f"{path.stem}-deuteranopia.png")
        with Image.open(path) as picture:
            seen(picture).quantize(COLOURS).save(target, optimize=True)
        print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
