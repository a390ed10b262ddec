"""Which images are refused: none that is a chest, every one that is something else."""

import numpy as np
import pytest

from tests.serving import films
from tests.serving.films import Grey
from thorax import images
from thorax.image_checks import Checked, ImageChecks, check
from thorax.images import Decoded, ImageWarning

CHECKS = ImageChecks()


def checked(pixels: Grey, checks: ImageChecks = CHECKS) -> Checked:
    return check(images.decode(images.encode_png(pixels)), checks)


@pytest.mark.parametrize("number", range(1, 11))
@pytest.mark.parametrize("size_px", [64, 128, 256])
def test_phantoms_pass_at_every_size(number: int, size_px: int) -> None:
    found = checked(films.phantom(number, height_px=size_px, width_px=size_px))
    assert (found.refusals, found.warnings) == ((), ())


@pytest.mark.parametrize(("pixels", "code"), films.NO_FILMS.values(), ids=films.NO_FILMS)
def test_what_is_no_upright_chest_is_refused(pixels: Grey, code: str) -> None:
    assert code in {refusal.code for refusal in checked(pixels).refusals}


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_turned_phantoms_and_negatives_are_refused(number: int, quarters: int) -> None:
    turned = np.ascontiguousarray(np.rot90(films.phantom(number), quarters))
    assert {refusal.code for refusal in checked(turned).refusals} == {"turned"}
    assert {refusal.code for refusal in checked(255 - turned).refusals} >= {"inverted"}


def test_the_policy_decides_what_refuses_what_warns_and_what_is_passed_over() -> None:
    negative = 255 - films.phantom()
    for action, refusals, warnings in (("refuse", 1, 0), ("warn", 0, 1), ("off", 0, 0)):
        found = checked(negative, ImageChecks(inverted=action))
        assert (len(found.refusals), len(found.warnings)) == (refusals, warnings)


def test_what_the_decoder_warned_of_comes_along() -> None:
    warning = ImageWarning("levels-clipped", "a text")
    decoded = Decoded(films.phantom(), channels=1, bit_depth=16, warnings=(warning,))
    assert check(decoded, CHECKS).warnings == (warning,)


@pytest.mark.real_data
def test_at_most_two_in_a_hundred_real_films_are_refused() -> None:
    if not films.NIH.is_dir():
        pytest.skip("no NIH images beside the checkout")
    files = sorted(films.NIH.iterdir())[::5]
    refused = [
        file.name for file in files if check(images.decode(file.read_bytes()), CHECKS).refusals
    ]
    assert len(refused) <= 0.02 * len(files), refused
