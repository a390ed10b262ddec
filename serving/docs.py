"""`/docs`: the service's OpenAPI description as a page that loads nothing from outside.

BentoML describes three errors; here every status that `/predict` can answer is added. The page is
Swagger UI as BentoML carries it, without its tracker and without the online validator.
"""

from typing import Any, Final

from serving.answer import ErrorAnswer

PATHS: Final = ("/", "/docs")
"""The pages of our own."""
ASSETS: Final = ("/static_content/swagger-ui.css", "/static_content/swagger-ui-bundle.js")
"""What BentoML serves of Swagger UI and the page loads."""

STATUSES: Final = {
    400: "The body is no form with one file, or the file cannot be read as PNG or JPEG.",
    408: "The request came too slowly.",
    413: "The body is larger than the service accepts.",
    415: "The request is not multipart/form-data.",
    422: "The image is not one that the model can answer for; `warnings` says why, one by one.",
    429: "Too many requests at once; send it again later.",
    500: "An unexpected error; the service's log has more.",
    503: "The service is not ready; the reason is given.",
    504: "The request took too long.",
}

HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self' data:; "
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; font-src data:",
    "Cache-Control": "no-store",
}

PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Thorax: how to call the service</title>
<link rel="stylesheet" href="static_content/swagger-ui.css">
<p style="margin: 1rem 1.2rem 0; font: 15px system-ui, sans-serif"><a href=".">Thorax</a>:
for research and evaluation; not a medical device.</p>
<div id="docs"></div>
<script src="static_content/swagger-ui-bundle.js"></script>
<script>
  SwaggerUIBundle({ url: "docs.json", dom_id: "#docs", validatorUrl: null });
</script>
</html>
"""


def with_every_status(spec: Any) -> Any:
    """BentoML's OpenAPI description with `STATUSES` among the answers of `/predict`."""
    schema = ErrorAnswer.model_json_schema(ref_template="#/components/schemas/{model}")
    spec.components["schemas"].update(schema.pop("$defs", {}))
    spec.components["schemas"]["ErrorAnswer"] = schema
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}}}
    errors = {
        status: {"description": text, "content": content} for status, text in STATUSES.items()
    }
    answers = spec.paths["/predict"].post["responses"]
    spec.paths["/predict"].post["responses"] = {200: answers[200], **errors}
    ready = spec.paths["/readyz"].get.responses
    ready["503"] = type(ready["200"])(description="Not ready; the reason is given.")
    return spec
