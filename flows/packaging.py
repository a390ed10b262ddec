"""Flow: package the blessed candidate as a bento."""

from prefect import flow

from flows.stages import reproduce
from thorax import artifacts


@flow(name="packaging", flow_run_name="packaging")
def packaging() -> str:
    """Run release; return the bento's tag."""
    reproduce("release")
    return str(artifacts.read_json(artifacts.root() / "artifacts/release/manifest.json")["tag"])
