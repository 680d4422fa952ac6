"""What `manage.py check`, and every command that checks first, finds wrong with pipelines and presets.

They are warnings: whatever else there is works, and `GET /api/v0/pipelines` shows the same reasons.
"""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, register

from detect.errors import ConfigError
from detect.model_needs import ModelNeed
from detect.registry import broken_pipelines, load_pipeline, pipeline_names
from jobs.annotation.presets import Preset, builtin_presets, check_preset
from mediaproc.checks import INSTALLATION


@register(INSTALLATION)
def pipelines_can_be_used(**_: Any) -> list[CheckMessage]:
    """Each declaration that is broken, with its file; models that two pipelines declare differently."""
    broken = broken_pipelines()
    found: list[CheckMessage] = [
        checks.Warning(f"The pipeline '{key}' cannot be used: {reason}", id="jobs.W001")
        for key, reason in broken.items()
    ]
    declared: dict[str, tuple[str, ModelNeed]] = {}
    for key in pipeline_names():
        for name, need in {} if key in broken else load_pipeline(key).models.items():
            other, as_other = declared.setdefault(name, (key, need))
            if need != as_other:
                found.append(
                    checks.Warning(
                        f"The pipelines '{other}' and '{key}' declare the model '{name}' differently.",
                        hint="Give one of them another name, or have both say the same: only one can be found.",
                        id="jobs.W002",
                    )
                )
    return found


@register(INSTALLATION)
def presets_can_be_used(**_: Any) -> list[CheckMessage]:
    """Presets that name what no pipeline has."""
    try:
        presets = builtin_presets()
    except ConfigError as error:
        return [checks.Warning(f"A preset cannot be used: {error}", id="jobs.W003")]
    faults = {name: _fault(preset) for name, preset in presets.items()}
    return [
        checks.Warning(f"The preset '{name}' cannot be used: {reason}", id="jobs.W003")
        for name, reason in faults.items()
        if reason
    ]


def _fault(preset: Preset) -> str:
    try:
        check_preset(preset)
    except ConfigError as error:
        return str(error)
    return ""
