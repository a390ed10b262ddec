"""The decision as a document: what was judged, the verdict, and the blessing of a pass.

The blessing signs everything in the document but itself, the judged files' checksums among it.
Whoever needs a pass reads it with `blessing.require_pass`.
"""

from pathlib import Path
from typing import Any

from thorax import blessing
from thorax.gate.decide import Outcome, overall


def document(
    outcomes: list[Outcome],
    inputs: dict[str, str],
    *,
    valid_until: str | None,
    waivers: list[dict[str, Any]],
    key_path: Path,
) -> dict[str, Any]:
    """What decision.json says; blessed when the verdict is pass.

    Args:
        outcomes: every rule's verdict.
        inputs: path from the checkout's root -> sha256 of each file behind the decision.
        valid_until: when the verdict that this rests on ends, None when it does not.
        waivers: what people accepted in the data that the model comes from.
        key_path: the private key; made when missing, and only for a pass.
    """
    decision: dict[str, Any] = {
        "verdict": overall(outcomes),
        "rules": [outcome.as_dict() for outcome in outcomes],
        "inputs": inputs,
        "valid_until": valid_until,
        "waivers": waivers,
    }
    signature = None
    if decision["verdict"] == "pass":
        signature = blessing.sign(decision, blessing.load_or_make_key(key_path))
    return {**decision, "blessing": signature}
