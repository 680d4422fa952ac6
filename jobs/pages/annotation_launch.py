"""What the form for a batch offers: pipelines of this installation, and presets to fill it from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.annotation.catalog import pipeline_states
from jobs.annotation.presets import Preset, presets_all
from jobs.pages.annotation_form import Sent, differing, filled, pipeline_choice
from jobs.pages.options import as_text


class Offered:
    """The pipelines and, by name, the presets that there are at the moment."""

    def __init__(self) -> None:
        self.states = pipeline_states()
        self.presets = {preset.name: preset for preset in presets_all()}


def preset_filled(presets: Mapping[str, Preset], name: str) -> Sent:
    """A form as a preset fills it in; an empty one where there is none of that name."""
    return filled(presets[name].pipelines) if name in presets else Sent()


def asked_of(preset: str, sent: Sent, offered: Offered) -> tuple[str, dict[str, dict[str, Any]]]:
    """The preset and what is set over it, of a form in which everything is well.

    A preset of which a pipeline was unticked is none any more: what is ticked is asked for by hand then.
    """
    base = offered.presets[preset].pipelines if preset in offered.presets else {}
    if not base or not base.keys() <= sent.chosen.keys():
        preset, base = "", {}
    known = {state.key: state for state in offered.states}
    overrides = {key: differing(values, base.get(key, {}), known[key]) for key, values in sent.chosen.items()}
    return preset, {key: values for key, values in overrides.items() if values or key not in base}


def launch_context(sent: Sent, offered: Offered, *, preset: str) -> dict[str, Any]:
    """What ``templates/annotation/_launch.html`` shows; pipelines that cannot run here come last."""
    choices = [pipeline_choice(state, sent) for state in offered.states]
    return {
        "pipelines": sorted(choices, key=lambda choice: bool(choice.reason)),
        "presets": list(offered.presets.values()),
        "preset": preset,
        "preset_texts": {
            name: {
                key: {option: as_text(value) for option, value in values.items()}
                for key, values in one.pipelines.items()
            }
            for name, one in offered.presets.items()
        },
    }
