"""Examples of the document: a request and an answer of the calls that integrations are made of, by operation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

JOB = "3f0d9d1e-6a3b-4c57-9a35-0d7a3c1f5b10"
REPLAY = "8a1c6f0e-1f2b-4f6d-8f0a-6d2f7f1f9c22"
ASSET = "b6a5f6b2-47f1-4f0e-9f5d-2f0f8c9f4a11"
CHECKPOINT = "5c9d0c44-02c4-4d5e-8b0f-7d9d2d3a6e33"
UPLOAD = "d2f3b7a0-9a0e-4b0b-8f57-1c2d3e4f5a44"
DATASET = "7e2c4b9a-5d31-4a86-b1f4-3c9e8d7a6b77"
TASK = "0b0f3e52-7d0f-4a5f-9b7c-3d1e2f4a5b66"

#: Of parameters, by name: an id that is an example is the same thing in all of them.
PARAMETERS: dict[str, Any] = {
    "job_id": JOB,
    "checkpoint_id": CHECKPOINT,
    "asset_id": ASSET,
    "upload_id": UPLOAD,
    "dataset_id": DATASET,
    "sequence": 0,
    "left": JOB,
    "right": JOB,
}

_WHEN = "2026-03-14T20:45:00Z"
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
    "created_at": _WHEN,
    "started_at": _WHEN,
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
    "created_at": _WHEN,
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
    "created_at": _WHEN,
    "updated_at": _WHEN,
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
    "by_hand": {"stop_time_s": {"seconds": 2.5, "set_by": "user:ana", "set_at": _WHEN}},
    "brands": [{"name": "Velmora", "seconds": 1.5, "start": 4.1, "end": 5.6}],
    "problems": [],
}

_DATASET: dict[str, Any] = {
    "id": DATASET,
    "name": "Cup 2026",
    "base_path": "/srv/videos/cup-2026",
    "created_at": _WHEN,
    "created_by": "key:reports",
    "scanned_at": None,
    "videos": 0,
}
_DATASET_VIDEOS: list[dict[str, Any]] = [
    {
        "path": "final/first-half.mp4",
        "duration_sec": 2710.4,
        "size_bytes": 1843200000,
        "has_pictures": True,
        "has_sound": True,
        "error": None,
    },
    {
        "path": "final/second-half.mp4",
        "duration_sec": None,
        "size_bytes": 0,
        "has_pictures": False,
        "has_sound": False,
        "error": "is empty (0 bytes)",
    },
]

_PIPELINES: list[dict[str, Any]] = [
    {
        "key": "faces",
        "label": "Faces",
        "version": 1,
        "description": "Finds faces with eyes, nose and corners of the mouth, and follows each through its shot.",
        "inputs": ["pictures"],
        "params": [
            {
                "name": "min_score",
                "type": "float",
                "default": 0.6,
                "min": 0.1,
                "max": 1.0,
                "description": "How sure the model must be of a face.",
            }
        ],
        "available": False,
        "unavailable_reason": "there is no model 'faces' (finding faces): set MEDIAPROC_FACES_MODEL to its file",
        "models": [
            {
                "name": "faces",
                "what": "finding faces",
                "optional": False,
                "found": False,
                "sha256": None,
                "reason": "there is no model 'faces' (finding faces): set MEDIAPROC_FACES_MODEL to its file",
            }
        ],
    }
]
_PRESET: dict[str, Any] = {
    "name": "interviews",
    "pipelines": {"speech": {"language": "en"}, "faces": {}},
    "version": 1,
    "description": "Who speaks, and what about",
    "saved": True,
    "created_by": "key:reports",
}
_PRESET_REQUEST = {name: _PRESET[name] for name in ("name", "pipelines", "description")}


@dataclass(frozen=True)
class Example:
    """Bodies by title; an operation's answers are those of its first 2xx status."""

    requests: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)


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
                    "created_at": _WHEN,
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
    "dataset_list": Example(answers={"One dataset": [_DATASET]}),
    "dataset_create": Example(
        requests={"A folder below an allowed root": {"name": "Cup 2026", "base_path": "/srv/videos/cup-2026"}},
        answers={"It is registered": _DATASET},
    ),
    "dataset_retrieve": Example(answers={"Before its first scan": _DATASET}),
    "dataset_videos": Example(answers={"One cannot be used": _DATASET_VIDEOS}),
    "dataset_scan": Example(answers={"One cannot be used": _DATASET_VIDEOS}),
    "pipeline_list": Example(answers={"A model is missing": _PIPELINES}),
    "preset_list": Example(answers={"A saved one": [_PRESET]}),
    "preset_create": Example(requests={"Two pipelines": _PRESET_REQUEST}, answers={"It is saved": _PRESET}),
    "preset_retrieve": Example(answers={"A saved one": _PRESET}),
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
