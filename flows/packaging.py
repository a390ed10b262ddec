"""Flow: package the blessed candidate as a bento."""

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.stages import reproduce
from thorax import artifacts


@flow(name="packaging")
def packaging() -> str:
    """Run release; return the bento's tag."""
    reproduce("release")
    tag = str(artifacts.read_json(artifacts.root() / "artifacts/release/manifest.json")["tag"])
    create_markdown_artifact(key="bento", markdown=f"# Bento `{tag}`")
    return tag
