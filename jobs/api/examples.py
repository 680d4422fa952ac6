"""Examples of the document: a request and an answer of the calls that integrations are made of, by operation."""

from __future__ import annotations

from typing import Any

from jobs.api.annotation_examples import ANNOTATION
from jobs.api.example_shape import (
    ARTIFACT,
    ASSET,
    CHECKPOINT,
    DATASET,
    JOB,
    PRESET,
    REPLAY,
    TASK,
    UPLOAD,
    WHEN,
    Example,
)

#: Of parameters, by name: an id that is an example is the same thing in all of them.
PARAMETERS: dict[str, Any] = {
    "job_id": JOB,
    "checkpoint_id": CHECKPOINT,
    "asset_id": ASSET,
    "upload_id": UPLOAD,
    "dataset_id": DATASET,
    "name": PRESET,
    "path": ARTIFACT,
    "sequence": 0,
    "left": JOB,
    "right": JOB,
}

_OVERRIDES = {"match_brands": {"min_similarity": 0.9}}
_REGION = {"x": 40, "y": 310, "w": 220, "h": 34, "confidence": 0.83, "label": "board"}
# one dark pixel
_PICTURE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
_OVERLAY = {"edge_overlay_b64": _PICTURE, "lines_overlay_b64": _PICTURE, "horizontal_count": 12, "pair_count": 4}
_BRAND = {"name": "Velmora", "seconds": 12.5, "tolerance": 0.5}

_JOB: dict[str, Any] = {
    "id": JOB,
    "source_asset_id": ASSET,
    "video_path": "storage:uploads/final.mp4",
    "pipeline": "brands",
    "profile_name": "soccer_broadcast",
    "parent_job_id": None,
    "run_type": "initial",
    "replay_from_stage": "",
    "config_overrides": {},
    "status": "running",
    "current_stage": "run_ocr",
    "progress": 0.42,
    "error_message": "",
    "total_detections": 0,
    "brands_found": 0,
    "cloud_llm_calls": 0,
    "estimated_cost_usd": "0.000000",
    "cost_limit_usd": "2.500000",
    "call_limit": None,
    "task_id": TASK,
    "priority": 0,
    "tags": ["cup"],
    "requested_by": "key:reports",
    "scheduled_for": None,
    "last_event": 17,
    "created_at": WHEN,
    "started_at": WHEN,
    "completed_at": None,
}

_CHECKPOINT = {
    "id": CHECKPOINT,
    "parent_id": None,
    "job_id": JOB,
    "stage": "extract_frames",
    "stage_index": 0,
    "is_scenario": False,
    "scenario_label": "",
    "created_at": WHEN,
    "stats": {"seconds": 3.1, "units": 2},
    "config_overrides": {},
}

_PITSTOP_SUMMARY = {
    "job_id": JOB,
    "status": "PROCESSING",
    "stage": "TRACKING",
    "progress": 0.52,
    "series": "GT",
    "race": "Monza",
    "input_filename": "stop.mp4",
    "input_size_bytes": 48_211_904,
    "created_at": WHEN,
    "updated_at": WHEN,
}
_PITSTOP = {
    **_PITSTOP_SUMMARY,
    "notes": "second stop of car 7",
    "logs": ["[20:45:11] INFO detect_each_frame: 8.31 s, frames 750, objects 4021"],
    "output": {"available": False, "filename": f"{JOB}_output.mp4", "size_bytes": None},
}
_VISIT = {"label": "person", "start_uncertainty": 0.02, "end_uncertainty": 0.02, "cut": ""}
_STOP = {"start": 4.1, "end": 6.56, "track_id": 3, **_VISIT, "label": "car"}
_PITSTOP_METRICS = {
    "job_id": JOB,
    "stop_time_s": 2.5,
    "fuel_time_s": 1.92,
    "uncertainty_s": None,
    "zones": [
        {
            "name": "Fuel",
            "measure": "fuel",
            "seconds": 1.92,
            "uncertainty_s": 0.028,
            "visits": [{"start": 4.3, "end": 6.22, "track_id": 9, **_VISIT}],
        }
    ],
    "stop": _STOP,
    "sources": {"stop_time_s": "manual", "fuel_time_s": "measured"},
    "measured": {
        "stop_time_s": {"seconds": 2.46, "uncertainty_s": 0.028},
        "fuel_time_s": {"seconds": 1.92, "uncertainty_s": 0.028},
    },
    "by_hand": {"stop_time_s": {"seconds": 2.5, "set_by": "user:ana", "set_at": WHEN}},
    "brands": [{"name": "Velmora", "seconds": 1.5, "start": 4.1, "end": 5.6}],
    "problems": [],
}

EXAMPLES: dict[str, Example] = {
    "checkpoints": Example(answers={"The first of them": [_CHECKPOINT]}),
    "scenarios": Example(
        answers={
            "One bookmark": [
                {
                    "id": CHECKPOINT,
                    "job_id": JOB,
                    "stage": "run_ocr",
                    "scenario_label": "boards in the rain",
                    "profile_name": "soccer_broadcast",
                    "video_path": "storage:uploads/final.mp4",
                    "frame_count": 5400,
                    "created_at": WHEN,
                    "expected": [_BRAND],
                }
            ]
        }
    ),
    "replay": Example(
        requests={
            "From a stage on": {"job_id": JOB, "start_stage": "match_brands"},
            "With other options": {"job_id": JOB, "start_stage": "match_brands", "config_overrides": _OVERRIDES},
        },
        answers={
            "It has completed": {
                "status": "completed",
                "job_id": REPLAY,
                "parent_job_id": JOB,
                "start_stage": "match_brands",
                "detections": 412,
                "brands_found": 7,
            }
        },
    ),
    "retry": Example(
        requests={
            "Now": {"job_id": JOB},
            "In the night, with another provider": {
                "job_id": JOB,
                "start_stage": "escalate_vlm",
                "schedule_seconds": 21600,
                "config_overrides": {"escalate_cloud": {"provider": "other"}},
            },
        },
        answers={"It waits": {"status": "queued", "task_id": TASK, "job_id": REPLAY, "parent_job_id": JOB}},
    ),
    "detect_replay_stage": Example(
        requests={
            "Boards on one frame, with overlays": {
                "job_id": JOB,
                "stage": "detect_edges",
                "frame_refs": [0],
                "config_overrides": {"min_confidence": 0.4},
                "debug": True,
            }
        },
        answers={
            "One board": {
                "status": "completed",
                "stage": "detect_edges",
                "frame_count": 1,
                "region_count": 1,
                "regions_by_frame": {"0": [_REGION]},
                "debug": {"0": _OVERLAY},
            }
        },
    ),
    "detect_gpu_detect_edges": Example(
        requests={"A picture": {"image": _PICTURE, "config": {"min_confidence": 0.4}}},
        answers={"One board": {"regions": [_REGION]}},
    ),
    "detect_gpu_detect_edges_debug": Example(
        requests={"A picture": {"image": _PICTURE, "config": {}}},
        answers={"One board": {"regions": [_REGION], **_OVERLAY}},
    ),
    "submit_job": Example(
        requests={
            "A video that was uploaded": {"asset_id": ASSET, "tags": ["cup"], "cost_limit_usd": "2.50"},
            "A file in an allowed folder": {"path": "match.mp4", "profile": "soccer_broadcast"},
        },
        answers={"The job": _JOB},
    ),
    "get_job": Example(answers={"While it runs": _JOB}),
    "change_job": Example(requests={"First in the queue": {"priority": 10, "tags": ["cup", "final"]}}),
    "estimate": Example(
        requests={"Before a replay": {"job_id": JOB, "start_stage": "match_brands", "config_overrides": _OVERRIDES}}
    ),
    "bookmark": Example(
        requests={
            "A case to hold on to": {"label": "boards in the rain", "expectation": {"brands": [_BRAND]}},
            "Take it away": {"label": ""},
        }
    ),
    "pitstop_list": Example(answers={"One job": {"jobs": [{**_PITSTOP_SUMMARY, "has_output": False}], "total": 1}}),
    "pitstop_retrieve": Example(answers={"While it runs": _PITSTOP}),
    "pitstop_delete": Example(answers={"It is gone": {"message": "Job deleted successfully", "job_id": JOB}}),
    "pitstop_metrics": Example(answers={"With a time set by hand": _PITSTOP_METRICS}),
    "pitstop_metrics_set": Example(
        requests={
            "By a stopwatch": {"stop_time_s": 2.5},
            "What was measured counts again": {"stop_time_s": None},
        },
    ),
    **ANNOTATION,
    "asset_create": Example(requests={"A file in an allowed folder": {"path": "match.mp4"}}),
}


def with_examples(operation: dict[str, Any]) -> None:
    """Write the examples of an operation of the document, and of its parameters, into it."""
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in PARAMETERS:
            parameter["example"] = PARAMETERS[parameter["name"]]
    given = EXAMPLES.get(operation["operationId"])
    if given is None:
        return
    if given.requests:
        operation["requestBody"]["content"]["application/json"]["examples"] = _listed(given.requests)
    if given.answers:
        success = next(status for status in sorted(operation["responses"]) if status.startswith("2"))
        operation["responses"][success]["content"]["application/json"]["examples"] = _listed(given.answers)


def _listed(bodies: dict[str, Any]) -> dict[str, Any]:
    names = (title.lower().replace(",", "").replace(" ", "_") for title in bodies)
    return {name: {"summary": title, "value": body} for name, (title, body) in zip(names, bodies.items(), strict=True)}
