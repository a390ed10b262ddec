"""What counts as something of a patient, file by file; what does not; and what may not be said."""

import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Callable

import pandas as pd
import pytest

from thorax.forget.traces import Traces

PICTURE = b"\x89PNG the very bytes"
TRACES = Traces(
    patients=frozenset({"7"}),
    images=frozenset({"00000007_001.png", "a.png"}),
    reports=frozenset({"report-00000007-1", "5"}),
    digests=frozenset({hashlib.sha256(PICTURE).hexdigest()}),
    sizes=frozenset({len(PICTURE)}),
)


def tar(name: str, content: bytes, pack: Callable[[bytes], bytes] = bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return pack(out.getvalue())


def parquet(**columns: list[object]) -> bytes:
    out = io.BytesIO()
    pd.DataFrame(columns).to_parquet(out, index=False)
    return out.getvalue()


THEIRS = {
    "an image's bytes": PICTURE,
    "an archive with an image of that name": tar("images/00000007_001.png", b"other"),
    "the same gzipped": tar("00000007_001.png", b"other", gzip.compress),
    "the same as a bento is packed": tar("00000007_001.png", b"other", lzma.compress),
    "an archive with the image under another name": tar("b.png", PICTURE),
    "an archive with a text that names it": tar("card.md", b"see 00000007_001.png"),
    "a table with the image": parquet(image=["x.png", "a.png"], score=[1, 2]),
    "a table with the patient": parquet(patient=["8", "7"]),
    "a table with a list of images": parquet(images=["x.png|a.png"]),
    "a table of labels about a report": parquet(image=["5"], label=[1]),
    "csv with the patient": b"image,patient\nb.png,7\n",
    "csv with a quoted list": b'images,text\n"x.png|a.png","b, c"\n',
    "json with the image": b'{"worst": ["a.png"]}',
    "a page with a report": b"<li>report-00000007-1</li>",
    "a name that is drawn from the image's": b"heatmaps/00000007_001-Mass.webp",
    "a name across two pieces of a file": b"-" * ((1 << 20) - 5) + b" 00000007_001.png",
}
OTHERS = {
    "nothing": b"",
    "another image": b"\x89PNG other very bytes",
    "another archive": tar("00000008_001.png", b"other"),
    "a broken archive": tar("00000008_001.png", b"other")[:300],
    "a table with a patient whose id is longer": parquet(patient=["77", "17"]),
    "a score that is the id": parquet(image=["b.png"], score=["7"]),
    "csv with the id in another column": b"image,patient,age\nb.png,8,7\n",
    "a number in json": b'{"epochs": 7, "auc": 5}',
    "a longer name": b"ba.png 100000007_001.png a.pngx",
    "broken parquet": b"PAR1" + b"\0" * 40,
}


@pytest.mark.parametrize("what", THEIRS)
def test_it_is_theirs(what: str) -> None:
    assert TRACES.in_file(io.BytesIO(THEIRS[what]))


@pytest.mark.parametrize("what", OTHERS)
def test_it_is_somebody_elses(what: str) -> None:
    assert not TRACES.in_file(io.BytesIO(OTHERS[what]))


def test_nobody_is_found_by_a_patient_with_neither_image_nor_report() -> None:
    nobody = Traces(frozenset({"9"}), frozenset(), frozenset())
    assert not any(nobody.in_file(io.BytesIO(content)) for content in THEIRS.values())


def test_digests_are_those_of_the_patients_members() -> None:
    archive = io.BytesIO(tar("00000007_001.png", b"own"))
    found = TRACES.members_of(archive)
    assert found.digests == {hashlib.sha256(b"own").hexdigest()}
    assert found.sizes == {3}
    assert TRACES.members_of(io.BytesIO(tar("b.png", b"own"))).digests == frozenset()
