"""The detection engine: where its models and providers are."""

from __future__ import annotations

from mediaproc import env
from mediaproc.datafolder import PROJECT_ROOT

OBJECT_WEIGHTS = env.path("MEDIAPROC_OBJECT_WEIGHTS")
WEIGHTS_FOLDERS = (PROJECT_ROOT / "model_weights", env.DATA.root / "model_weights")
PROVIDERS_FILE = env.path("MEDIAPROC_PROVIDERS") or env.DATA.root / "providers.yaml"
INFERENCE_THREADS = env.integer("MEDIAPROC_THREADS", 2, least=1, most=64)
REPORTS_FOLDER = env.DATA.root / "reports"
