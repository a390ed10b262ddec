"""One colour per finding, the same in every picture and on every page.

Light enough to be seen on a radiograph, and to carry dark letters. A name that is no finding of
ours is white.
"""

from typing import Final

COLOURS: Final = {
    "Atelectasis": "#ffb000",
    "Cardiomegaly": "#ff6b6b",
    "Effusion": "#42d4f4",
    "Infiltration": "#c77dff",
    "Mass": "#3fd158",
    "Nodule": "#ff5ecb",
    "Pneumonia": "#ff8a2b",
    "Pneumothorax": "#7aa2ff",
    "Consolidation": "#c3e94a",
    "Edema": "#2ec4b6",
    "Emphysema": "#dcbeff",
    "Fibrosis": "#d9a066",
    "Pleural_Thickening": "#aaffc3",
    "Hernia": "#ffe96b",
}
"""As CSS writes them."""


def blue_green_red(finding: str) -> tuple[int, int, int]:
    """The colour as OpenCV takes it."""
    red, green, blue = bytes.fromhex(COLOURS.get(finding, "#ffffff")[1:])
    return blue, green, red
