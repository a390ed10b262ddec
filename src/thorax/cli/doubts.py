"""`thorax noise` and `thorax review`: look for wrong labels, and let people judge the suspects."""

from typing import Annotated

import typer


def noise() -> None:
    """Look for labels that are probably wrong (stage label_noise, which retraining leaves out)."""
    from thorax.cli.review import noise

    noise()


def review(
    reader: Annotated[str, typer.Option(help="Who reads; answers are kept under this name.")] = "",
    diff: Annotated[
        bool, typer.Option("--diff", help="What corrections change against the data of now.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Write what enough readers flip to corrections.csv.")
    ] = False,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Kappa of the readers who are through.")
    ] = False,
    port: Annotated[int, typer.Option(help="Of the page; 0: a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Judge suspect labels on a local page: keep, flip or unsure, one key each."""
    from thorax.cli import review as reviews

    if diff:
        reviews.print_diff()
    elif apply:
        reviews.apply()
    elif agreement:
        reviews.print_agreement()
    else:
        reviews.read(reader, port=port, browser=browser)
