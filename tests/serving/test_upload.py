"""How a request is read: real Starlette requests over hand-made bodies, no server."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from serving.upload import Received, receive

LIMIT = 2000
FILE = b'Content-Disposition: form-data; name="image"; filename="x.png"\r\n\r\n'


def part(head: bytes, content: bytes) -> bytes:
    return b"--q\r\n" + head + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    return b"".join(parts) + b"--q--\r\n"


def read(
    body: bytes | Iterable[bytes],
    content_type: str = "multipart/form-data; boundary=q",
    **headers: str,
) -> Received:
    chunks = [body] if isinstance(body, bytes) else list(body)
    messages = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    messages.append({"type": "http.request", "body": b"", "more_body": False})

    async def hand_over() -> Any:
        return messages.pop(0)

    names = {"content-type": content_type, **{k.replace("_", "-"): v for k, v in headers.items()}}
    raw = [(name.encode(), value.encode()) for name, value in names.items()]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": raw}
    return asyncio.run(receive(Request(scope, hand_over), max_bytes=LIMIT))


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_the_file_arrives_byte_for_byte_however_it_is_cut(size: int) -> None:
    content = bytes(range(256)) * 4
    body = form(part(FILE, content))
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    assert read(pieces) == Received(content)


def test_an_empty_file_is_handed_on_for_the_decoder_to_refuse() -> None:
    assert read(form(part(FILE, b""))) == Received(b"")


def test_an_address_in_place_of_a_file_is_refused_and_not_fetched() -> None:
    text = part(b'Content-Disposition: form-data; name="image"\r\n\r\n', b"http://127.0.0.1:9/x")
    assert read(form(text)).status == 400


def test_a_second_file_and_another_field_name_are_refused() -> None:
    other = FILE.replace(b'"image"', b'"picture"')
    assert read(form(part(FILE, b"1"), part(FILE, b"2"))).status == 400
    assert read(form(part(other, b"1"))).status == 400


def test_a_body_beyond_the_limit_is_refused_with_and_without_a_declared_length() -> None:
    body = form(part(FILE, bytes(LIMIT)))
    assert read(body, content_length=str(len(body))).status == 413
    assert read(body).status == 413


def test_a_body_at_the_limit_is_read() -> None:
    room = LIMIT - len(form(part(FILE, b"")))
    assert read(form(part(FILE, bytes(room)))) == Received(bytes(room))
    assert read(form(part(FILE, bytes(room + 1)))).status == 413


@pytest.mark.parametrize("content_type", ["application/json", "image/png", "", "text/plain"])
def test_what_is_no_form_is_refused_with_what_to_send(content_type: str) -> None:
    answer = read(b"{}", content_type)
    assert answer.status == 415
    assert "multipart field 'image'" in answer.reason


@pytest.mark.parametrize("length", ["x", "-1", "1e3", ""])
def test_a_nonsense_length_is_no_crash(length: str) -> None:
    assert read(form(part(FILE, b"1")), content_length=length).status in (200, 400)


# Starlette leaves the file of a form that was cut short to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@given(st.binary(max_size=300), st.booleans())
def test_no_body_is_a_crash(noise: bytes, inside: bool) -> None:
    body = part(FILE, b"") + noise if inside else noise
    answer = read(body)
    assert answer.status in (200, 400)
    assert bool(answer.reason) == (answer.status == 400)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
def test_no_boundary_is_a_crash(parameters: str) -> None:
    assert read(b"--q", f"multipart/form-data;{parameters}").status in (200, 400)
