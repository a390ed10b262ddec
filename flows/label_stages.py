"""The stages that judge the data, in order. Apart from the flow: naming them needs no Prefect."""

from typing import Final

STAGES: Final = ("reports", "dataset", "validation")
