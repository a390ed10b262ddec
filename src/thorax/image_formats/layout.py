"""What is known of an image file before anything of it is decoded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """A file's size, cost and orientation, and the part of it that holds the image.

    Attributes:
        content: a file of the same format with what its pixels need and nothing else, so that the
            decoder can read no other size, image or scan than was read here.
        width_px, height_px: as stored, before the orientation is applied.
        samples: values that the decoder makes for each pixel.
        sample_bytes: bytes of each.
        scan_samples: samples that all scans of the file visit together; 0 where one pass is all.
        orientation: EXIF orientation, 1 to 8.
    """

    content: bytes
    width_px: int
    height_px: int
    samples: int
    sample_bytes: int
    scan_samples: int = 0
    orientation: int = 1
