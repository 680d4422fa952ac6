"""The detection engine: where its models and providers are."""

from __future__ import annotations

from typing import Literal, cast

from django.core.exceptions import ImproperlyConfigured

from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT

OBJECT_WEIGHTS = env.path("MEDIAPROC_OBJECT_WEIGHTS")
WEIGHTS_FOLDERS = (PROJECT_ROOT / "model_weights", env.DATA.root / "model_weights")
PIPELINES_FOLDER = env.path("MEDIAPROC_PIPELINES")
PROVIDERS_FILE = env.path("MEDIAPROC_PROVIDERS") or env.DATA.root / "providers.yaml"
INFERENCE_THREADS = env.integer("MEDIAPROC_THREADS", 2, least=1, most=64)
OCR_PRECISION = cast("Literal['auto', 'f32', 'bf16']", env.text("MEDIAPROC_OCR_PRECISION", "auto"))
if OCR_PRECISION not in {"auto", "f32", "bf16"}:
    raise ImproperlyConfigured(f"MEDIAPROC_OCR_PRECISION is {OCR_PRECISION!r}: use auto, f32 or bf16.")
REPORTS_FOLDER = env.DATA.root / "reports"
TUNING_FOLDER = env.DATA.root / "tuning"

_inference_url = env.text("INFERENCE_URL")
if _inference_url and not _inference_url.startswith(("http://", "https://")):
    raise ImproperlyConfigured(f"INFERENCE_URL is {_inference_url!r}: use an address such as http://gpu-host:8000.")
# where /detect/gpu passes requests on to; models of this process run there only where it is set
INFERENCE_URL = _inference_url or "http://localhost:8000"
INFERENCE_REMOTE = bool(_inference_url)
INFERENCE_KEY = env.text("INFERENCE_KEY")
INFERENCE_TIMEOUT = 30.0
INFERENCE_MAX_BODY = 32 * 1024 * 1024
# decoded frames that a process keeps for those who try settings
TUNING_CACHE_BYTES = env.integer("MEDIAPROC_TUNING_CACHE_MB", 256, least=1, most=65_536) * 1024 * 1024
