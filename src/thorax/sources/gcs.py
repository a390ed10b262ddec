"""Read a public Google Cloud Storage bucket through its JSON API.

Anonymous, or signed in with the machine's own Google credentials where the bucket asks the reader's
project to pay ("requester pays"). https://cloud.google.com/storage/docs/json_api/v1/objects/list
"""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import google.auth
import google.auth.exceptions
import google.auth.transport
import httpx

from thorax.errors import BadInput, NetworkError
from thorax.sources.checksums import Checksum
from thorax.sources.transfer import PASSING

_SCOPE = "https://www.googleapis.com/auth/devstorage.read_only"
_DENIED = {400, 401, 403}


class Bucket:
    """A bucket to list and to read from.

    Args:
        http: the client for listings and tokens.
        url: where the API answers.
        name: the bucket.
        project: the project that pays, or None to ask without signing in.
    """

    def __init__(self, http: httpx.Client, *, url: str, name: str, project: str | None) -> None:
        self._http = http
        self._url = url.rstrip("/")
        self._name = name
        self._project = project
        self._credentials = _sign_in() if project else None

    def list(self, prefix: str, *, page_names: int) -> Iterator[dict[str, Any]]:
        """Every object whose name starts with `prefix`: name, size, md5Hash, crc32c."""
        token = ""
        while True:
            query = {
                "prefix": prefix,
                "maxResults": str(page_names),
                "fields": "items(name,size,md5Hash,crc32c),nextPageToken",
                **({"pageToken": token} if token else {}),
                **self._payer(),
            }
            page = self._get_page(
                f"{self._url}/storage/v1/b/{quote(self._name)}/o?{urlencode(query)}"
            )
            yield from page.get("items", [])
            token = page.get("nextPageToken", "")
            if not token:
                return

    def media_url(self, name: str) -> str:
        """Where the content of an object is read."""
        query = urlencode({"alt": "media", **self._payer()})
        return f"{self._url}/storage/v1/b/{quote(self._name)}/o/{quote(name, safe='')}?{query}"

    def headers(self) -> Mapping[str, str]:
        """What a request says of who asks; renews an expired token."""
        if self._credentials is None:
            return {}
        headers: dict[str, str] = {}
        try:
            self._credentials.before_request(_Transport(self._http), "GET", self._url, headers)
        except google.auth.exceptions.TransportError as error:
            raise NetworkError(f"Google's sign-in does not answer: {error}") from None
        except google.auth.exceptions.GoogleAuthError as error:
            raise BadInput(f"Google refuses the credentials: {error}") from None
        return headers

    def _payer(self) -> dict[str, str]:
        return {"userProject": self._project} if self._project else {}

    def _get_page(self, url: str) -> dict[str, Any]:
        answer = self._ask(url)
        if answer.status_code in _DENIED:
            raise BadInput(f"gs://{self._name}: {_reason(answer)}. {self._what_to_do()}")
        if answer.status_code != 200:
            raise BadInput(
                f"gs://{self._name}: the server answers {answer.status_code} {answer.reason_phrase}"
            )
        page: dict[str, Any] = answer.json()
        return page

    def _ask(self, url: str) -> httpx.Response:
        """The answer, once it is one that another attempt would not change."""
        reason = ""
        for _ in range(_PAGE_ATTEMPTS):
            try:
                answer = self._http.get(url, headers=dict(self.headers()))
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
                continue
            if answer.status_code not in PASSING:
                return answer
            reason = f"the server answers {answer.status_code}"
        raise NetworkError(f"{self._url}: {reason}, {_PAGE_ATTEMPTS} times; pull again later")

    def _what_to_do(self) -> str:
        if self._project:
            return f"May your account bill project {self._project!r}? (sources.nih.project)"
        return (
            "The bucket asks the reader's project to pay: sign in (gcloud auth application-default "
            "login) and name your project in sources.nih.project"
        )


_PAGE_ATTEMPTS = 4


def checksum(item: Mapping[str, Any]) -> Checksum | None:
    """The checksum of a listed object: md5, or crc32c for those put together of parts."""
    if item.get("md5Hash"):
        return Checksum.from_base64("md5", item["md5Hash"])
    return Checksum.from_base64("crc32c", item["crc32c"]) if item.get("crc32c") else None


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"]["message"]).rstrip(".")
    except (ValueError, KeyError, TypeError):
        return f"the server answers {answer.status_code} {answer.reason_phrase}"


def _sign_in() -> Any:
    try:
        credentials, _ = google.auth.default(scopes=[_SCOPE])
    except google.auth.exceptions.DefaultCredentialsError:
        raise BadInput(
            "sources.nih.project is set, and this machine has no Google credentials: "
            "gcloud auth application-default login, or GOOGLE_APPLICATION_CREDENTIALS"
        ) from None
    return credentials


class _Transport(google.auth.transport.Request):
    """Lets google-auth fetch tokens through our own HTTP client."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> "_Answer":
        try:
            answer = self._http.request(method, url, content=body, headers=dict(headers or {}))
        except httpx.TransportError as error:
            raise google.auth.exceptions.TransportError(error) from error  # type: ignore[no-untyped-call]
        return _Answer(answer)


class _Answer(google.auth.transport.Response):
    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.content
