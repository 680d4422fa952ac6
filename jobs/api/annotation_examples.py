"""Examples of the batch interface: datasets, pipelines, presets, batches and their files."""

from __future__ import annotations

from typing import Any

from jobs.api.example_shape import ARTIFACT, DATASET, JOB, PRESET, WHEN, Example

_DATASET: dict[str, Any] = {
    "id": DATASET,
    "name": "Cup 2026",
    "base_path": "/srv/videos/cup-2026",
    "created_at": WHEN,
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
    "name": PRESET,
    "pipelines": {"speech": {"language": "en"}, "faces": {}},
    "version": 1,
    "description": "Who speaks, and what about",
    "saved": True,
    "created_by": "key:reports",
}
_PRESET_REQUEST = {name: _PRESET[name] for name in ("name", "pipelines", "description")}

_VALUES = {"language": "en", "beam_size": 5}
_SUMMARY: dict[str, Any] = {
    "id": JOB,
    "dataset_id": DATASET,
    "state": "running",
    "queued_at": WHEN,
    "started_at": WHEN,
    "finished_at": None,
    "progress_pct": 41.5,
    "current_stage": "final/first-half.mp4 · speech: transcribe",
    "error": None,
    "queue_position": None,
    "preset": "speech_only",
    "tags": ["cup"],
}
_BATCH: dict[str, Any] = {
    **_SUMMARY,
    "logs_tail": ["[20:45:03] INFO    final/first-half.mp4 · speech: find_speech done"],
    "partly_failed": False,
    "failures": [],
    "videos": [
        {
            "path": "final/first-half.mp4",
            "state": "running",
            "progress_pct": 41.5,
            "error": None,
            "pipelines": [
                {
                    "pipeline": "speech",
                    "state": "running",
                    "progress_pct": 41.5,
                    "error": None,
                    "detect_job_id": "8a1c6f0e-1f2b-4f6d-8f0a-6d2f7f1f9c22",
                }
            ],
        }
    ],
    "overrides": {"speech": {"language": "en"}},
    "configuration": {"pipelines": {"speech": {"version": 1, "params": _VALUES}}, "software": {"av": "18.1.0"}},
}
_FILE = {
    "type": "vtt",
    "role": "transcript",
    "path": ARTIFACT,
    "meta": {"pipeline": "speech", "sha256": "0" * 64, "size_bytes": 18211},
}
_MANIFEST = {
    "job_id": JOB,
    "dataset_id": DATASET,
    "outputs": {"final/first-half.mp4": [_FILE]},
    "viewer_hint": {"overlayOrder": ["transcript", "speakers", "words"]},
}

ANNOTATION: dict[str, Example] = {
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
    "annotation_submit": Example(
        requests={
            "A preset over two videos": {
                "dataset_id": DATASET,
                "videos": [{"path": "final/first-half.mp4"}, {"path": "final/second-half.mp4"}],
                "preset": "speech_only",
                "overrides": {"speech": {"language": "en"}},
                "tags": ["cup"],
            },
            "One pipeline as it is": {
                "dataset_id": DATASET,
                "videos": [{"path": "final/first-half.mp4", "duration_sec": 2710.4}],
                "overrides": {"scenes": {}},
            },
        },
        answers={"It waits for a worker, or runs": _BATCH},
    ),
    "annotation_jobs": Example(answers={"One that runs": [_SUMMARY]}),
    "annotation_job": Example(answers={"While it runs": _BATCH}),
    "annotation_artifacts": Example(answers={"One file so far": _MANIFEST}),
}
