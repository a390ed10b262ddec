"""The errors that a user can cause or must decide about; everything else is a crash.

ThoraxError            exit 1: what is wrong, where, and what to do; never a traceback
├── BadInput           a file, row or setting that cannot be used
│   └── UnreadableImage
├── NetworkError       a server that does not answer now; the same again may succeed
└── Refused            exit 2: a verdict says no, and this stage needs a yes
"""


class ThoraxError(Exception):
    """Something that a user can mend. The message says what is wrong, where, and what to do."""

    exit_code = 1


class BadInput(ThoraxError):
    """A file, row or setting that cannot be used."""


class UnreadableImage(BadInput):
    """Bytes that are not one whole PNG or JPEG; the message gives the reason without the name."""


class NetworkError(ThoraxError):
    """A server did not answer, or broke off too often; trying again later may succeed."""


class Refused(ThoraxError):
    """An earlier stage's verdict forbids this one."""

    exit_code = 2
