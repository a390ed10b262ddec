"""Images that are chests, and images that are none."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from thorax.sources.phantom import drawing, patients
from thorax.sources.phantom.source import PhantomConfig

Grey = NDArray[np.uint8]

NIH = Path(__file__).parents[3] / "shared" / "nih" / "images-512"


def phantom(number: int = 1, *, height_px: int = 128, width_px: int = 128) -> Grey:
    """The first image of a made-up patient, stretched to that size."""
    image = _drawn(number)
    if image.shape == (height_px, width_px):
        return image
    small = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


@cache
def _drawn(number: int) -> Grey:
    shares = PhantomConfig(patients=12).prevalence
    return drawing.draw(patients.studies(77, number, shares, 0.0)[0], seed=77, size_px=128)


def _gradient(colour: bool) -> Grey:
    ramp = np.linspace(0, 255, 300).astype(np.uint8)[None].repeat(300, axis=0)
    return np.dstack([ramp, ramp.T, 255 - ramp]) if colour else ramp


def _texture() -> Grey:
    """Noise with the spectrum of a natural photograph."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256)))
    frequency[0, 0] = 1
    noise = np.random.default_rng(8).normal(size=(256, 256))
    levels = np.fft.ifft2(np.fft.fft2(noise) / frequency).real
    return np.uint8(255 * (levels - levels.min()) / np.ptp(levels))  # type: ignore[no-any-return]


def _rotated(quarters: int) -> Grey:
    return np.ascontiguousarray(np.rot90(phantom(), quarters))


NO_FILMS = {
    "one pixel": (np.full((1, 1), 128, np.uint8), "too-small"),
    "black": (np.zeros((300, 300), np.uint8), "blank"),
    "white": (np.full((300, 300), 255, np.uint8), "blank"),
    "upside down": (_rotated(2), "turned"),
    "on its side": (_rotated(1), "turned"),
    "negative": (255 - phantom(), "inverted"),
    "gradient": (_gradient(colour=False), "not-a-chest"),
    "colour gradient": (_gradient(colour=True), "not-a-chest"),
    "texture": (_texture(), "not-a-chest"),
    "noise": (np.random.default_rng(8).integers(0, 256, (300, 300), np.uint8), "not-a-chest"),
}
"""Images that are no upright chest, and the code of why."""
