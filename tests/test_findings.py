"""Finding names as people write and print them."""

import pytest

from thorax.findings import FINDINGS, NO_FINDING, closest, display, find, unknown_label


@pytest.mark.parametrize("finding", FINDINGS)
def test_a_finding_is_found_as_it_is_printed(finding: str) -> None:
    printed = (display(finding), finding.lower(), finding.upper(), finding.replace("_", "-"))
    assert {find(name) for name in (finding, *printed, finding.replace("_", " "))} == {finding}


def test_nothing_else_is_found_and_the_close_one_is_proposed() -> None:
    known = (*FINDINGS, NO_FINDING)
    assert find("Tumour") is closest("Tumour") is None
    assert find("Pleural", known) is None
    assert closest("Nodules", known) == "Nodule"
    assert unknown_label("No findings", known).startswith(
        "unknown label 'No findings' (did you mean 'No Finding'?); known are Atelectasis"
    )
