"""Augmentation: nothing when off, bounded when on, the same for the same chance, never mirrored."""

import torch

from thorax.dataset.augment import AugmentConfig, augment

OFF = AugmentConfig(
    rotation_degrees=0, translation_share=0, scale_share=0, brightness_levels=0, contrast_share=0
)


def levels() -> torch.Tensor:
    chance = torch.Generator().manual_seed(5)
    return torch.randint(0, 256, (4, 1, 32, 32), generator=chance, dtype=torch.uint8)


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_all_off_changes_nothing() -> None:
    torch.testing.assert_close(augment(levels(), OFF, chance()), levels().float())


def test_the_default_changes_each_image_by_its_own_amounts() -> None:
    same = levels()[:1].expand(4, -1, -1, -1)
    changed = augment(same, AugmentConfig(), chance())
    assert changed.shape == same.shape
    assert not torch.allclose(changed[0], changed[1])
    assert changed.min() >= 0
    assert changed.max() <= 255


def test_chance_decides_and_nothing_else() -> None:
    first = augment(levels(), AugmentConfig(), chance())
    assert torch.equal(first, augment(levels(), AugmentConfig(), chance()))
    assert not torch.equal(first, augment(levels(), AugmentConfig(), chance(2)))


def test_the_default_never_swaps_left_and_right() -> None:
    halves = torch.zeros(64, 1, 32, 32)
    halves[..., :16] = 200
    changed = augment(halves, AugmentConfig(), chance())
    assert (changed[..., :12].mean(dim=(1, 2, 3)) > changed[..., 20:].mean(dim=(1, 2, 3))).all()


def test_mirroring_is_there_for_who_asks() -> None:
    mirror = OFF.model_copy(update={"mirror_probability": 1.0})
    torch.testing.assert_close(augment(levels(), mirror, chance()), levels().float().flip(-1))


def test_brightness_stays_within_its_bound() -> None:
    bright = OFF.model_copy(update={"brightness_levels": 10.0})
    middle = torch.full((64, 1, 8, 8), 128.0)
    shift = (augment(middle, bright, chance()) - middle).amax(dim=(1, 2, 3)).abs()
    assert shift.max() <= 10
    assert shift.max() > 5
