"""The service that the bento holds: one chest X-ray in, findings and boxes out.

`/predict` takes a multipart upload; `/livez`, `/readyz` and `/metrics` are BentoML's. It is ready
only when every file of the bento is signed with the pinned key, and the decision in it is a pass
about this very predictor; until then `/readyz` and `/predict` answer 503 with the reason. It keeps
nothing of what it is sent.
"""

import os
import sys
import traceback
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import bentoml
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from serving.answer import Answer, ErrorAnswer, warn
from serving.page import page
from serving.traffic import GuardedService
from serving.upload import Received, Upload
from thorax.images import ImageWarning

BUNDLE = Path(__file__).resolve().parent.parent
"""The bento's own folder: `decision.json`, `predictor/`, and the code."""

settings = bentoml.use_arguments()
"""`params.yaml: release.serving`, as it stood when the bento was built."""


class XRay(Upload):
    """The upload, bounded by the settings."""

    max_bytes = settings.max_upload_bytes


@bentoml.asgi_app(page, path="/")
@bentoml.service(
    name="thorax",
    service_class=GuardedService,
    workers=settings.workers,
    traffic={"timeout": settings.timeout_s, "max_concurrency": settings.max_concurrency},
)
class Thorax:
    """Findings in chest X-rays, with calibrated probabilities and boxes; not a medical device."""

    def __init__(self) -> None:
        from serving.lifetime import end_with_parent
        from thorax.errors import ThoraxError

        end_with_parent()
        self.model = f"{bentoml.server_context.bento_name}:{bentoml.server_context.bento_version}"
        self.refusal = ""
        try:
            self._load()
        except ThoraxError as error:
            self.refusal = str(error)
        except Exception as error:  # a worker that ends is started again and again
            traceback.print_exc()
            self.refusal = f"the model cannot be loaded ({type(error).__name__}: {error})"
        if self.refusal:
            print(f"thorax: not ready: {self.refusal}", file=sys.stderr, flush=True)

    def _load(self) -> None:
        import numpy as np

        from thorax.inference.predictor import Predictor
        from thorax.seal import require_own_code, require_sealed

        key = os.environ.get("THORAX_BLESSING_PUBLIC_KEY") or None
        require_own_code(BUNDLE)
        require_sealed(BUNDLE.parent, public_key=key, now=datetime.now(UTC))
        self.predictor = Predictor.load(BUNDLE / "predictor", threads=settings.threads)
        size_px = self.predictor.size_px
        self.predictor.predict(np.zeros((1, size_px, size_px), np.uint8))  # the first run is slow

    def __is_ready__(self) -> bool:
        if self.refusal:
            raise HTTPException(503, f"not ready: {self.refusal}")
        return True

    @bentoml.api(input_spec=XRay, output_spec=Answer)  # type: ignore[untyped-decorator]
    def predict(self, image: Received) -> Answer | JSONResponse:
        """Score one chest X-ray: a PNG or JPEG file in the multipart field `image`."""
        from serving.answer import compose
        from thorax.image_checks import check
        from thorax.images import to_frame

        if self.refusal:
            return _error(503, f"not ready: {self.refusal}")
        decoded = image.decoded
        if decoded is None:
            return _error(image.status, image.reason)
        checked = check(decoded, self.predictor.description.image_checks)
        if checked.refusals:
            return _error(422, checked.reason, checked.refusals)
        pixels = to_frame(decoded.pixels, self.predictor.size_px)  # [S, S]
        prediction = self.predictor.predict(pixels[None])
        return compose(
            prediction,
            self.predictor,
            decoded=decoded,
            model=self.model,
            warnings=checked.warnings,
        )


def _error(status: int, reason: str, warnings: Iterable[ImageWarning] = ()) -> JSONResponse:
    answer = ErrorAnswer(error=reason, warnings=warn(warnings))
    return JSONResponse(answer.model_dump(), status_code=status)
