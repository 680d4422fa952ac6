"""Something real to hit for generated requests, and a document in which requests may name it.

Requests are generated before there is anything in the database. So the document gets ids that stand in for real ones,
and the site is asked through an application that puts the real ones in their place.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5
from zlib import crc32

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from schemathesis import Case

from brands.models import KnownBrand, SourceBrandSighting
from detect.config import DEFAULT_PROFILE
from detect.errors import MediaprocError
from detect.models import Checkpoint, SourceAsset
from jobs.annotation.events import batch_log, batch_tell
from jobs.annotation.records import (
    AnnotationJob,
    AnnotationRun,
    AnnotationVideo,
    ArtifactFile,
    Dataset,
    DatasetVideo,
    Preset,
)
from jobs.annotation.states import BatchState
from jobs.api import example_shape as examples
from jobs.api_keys import ApiKey
from jobs.choices import EventKind, JobStatus
from jobs.events import event_append, log_append
from jobs.models import DetectJob
from jobs.services import Order, job_submit
from jobs.uploads.services import upload_append, upload_create
from mediaproc.roles import Role

#: The stage outputs from here on are stored or made within a fraction of a second.
QUICK_STAGES = ["match_brands", "escalate_vlm", "escalate_cloud", "compile_report"]
_STAGES = ["extract_frames", "filter_scenes", "detect_objects", "detect_edges", "run_ocr", *QUICK_STAGES]


def _another(kind: str) -> str:
    return str(uuid5(NAMESPACE_OID, kind))


# the examples of the document are real things too
JOBS = [examples.JOB, _another("job")]
ASSETS = [examples.ASSET, _another("asset")]
NODES = [examples.CHECKPOINT, _another("checkpoint")]
UPLOADS = [examples.UPLOAD, _another("upload")]
DATASETS = [examples.DATASET]
BRANDS = [_another("brand"), _another("second brand")]

#: What parameters and fields of these names may be besides what the document allows.
VALUES: Mapping[str, list[Any]] = {
    "job_id": JOBS,
    "left": [*JOBS, *NODES],
    "right": [*JOBS, *NODES],
    "parent": JOBS,
    "checkpoint_id": NODES,
    "asset_id": ASSETS,
    "asset": ASSETS,
    "upload_id": UPLOADS,
    "dataset_id": DATASETS,
    "job": JOBS,
    "preset": ["speech_only", examples.PRESET],
    "name": [examples.PRESET, "speech_only"],
    "overrides": [{"scenes": {}}, {"scenes": {"detector": "content"}}],
    "videos": [[{"path": "match.mp4"}], [{"path": "match.mp4", "duration_sec": 2.5}]],
    "base_path": [""],
    "sequence": [0, 1, 2],
    "frame_refs": [[0], [0, 1, 2]],
    "stage": _STAGES,
    "start_stage": QUICK_STAGES,
    "profile": [DEFAULT_PROFILE, "motorsport"],
    "brand": [*BRANDS, "Nike"],
    "tag": ["cup"],
    "path": ["", "match.mp4", examples.ARTIFACT],
    "storage_key": ["uploads/gone.mp4"],
    "Upload-Offset": [4],
    "config_overrides": [{"match_brands": {"min_similarity": 0.9}}, {"compile_report": {"min_seconds": 0.25}}, {}],
}


@dataclass(frozen=True)
class World:
    """What there is: a key, the ids that others stand in for, and what lies in the uploads' folder."""

    keys: Mapping[Role, str]
    ids: Mapping[str, str]
    files: Mapping[Path, bytes]

    def key_for(self, case: Case) -> str:
        """The operator's or the administrator's, the same for the same request; uploads are the operator's."""
        sent = repr((case.path_parameters, case.query, case.body)).encode()
        theirs = "uploads" in (case.operation.tags or ()) or crc32(sent) % 2 == 0
        return self.keys[Role.OPERATOR if theirs else Role.ADMINISTRATOR]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Whatever happens in the block is undone with its end: each request finds the same world."""
        try:
            with transaction.atomic():
                yield
                transaction.set_rollback(True)
        finally:
            for path in settings.UPLOADS_FOLDER.iterdir():
                if path not in self.files:
                    path.unlink()
            for path, content in self.files.items():
                path.write_bytes(content)


def build_world(*, job: DetectJob, roots: Path) -> World:
    """A finished match with its tree, events, sightings, scenario and brands; a waiting job; two videos; an upload."""
    made = {role: ApiKey.objects.create_key(name=role.value, role=role) for role in (Role.OPERATOR, Role.ADMINISTRATOR)}
    asset = job.source_asset
    KnownBrand.objects.update(total_occurrences=1000)
    brands = list(KnownBrand.objects.all())
    for number, brand in enumerate(brands):
        SourceBrandSighting.objects.create(
            source_asset=asset,
            brand=brand,
            brand_name=brand.canonical_name,
            first_seen_timestamp=number,
            last_seen_timestamp=number + 1.5,
            occurrences=number + 1,
            detection_source="ocr",
            avg_confidence=0.75,
        )
    log_append(job_id=job.id, line="frames are sampled")
    event_append(job_id=job.id, kind=EventKind.UPDATE, data={"status": "completed"})
    nodes = list(Checkpoint.objects.filter(job_id=job.id).order_by("stage_index"))
    Checkpoint.objects.filter(id=nodes[4].id).update(is_scenario=True, scenario_label="a clean board")
    waiting = job_submit(
        asset=asset,
        video_path=asset.path,
        profile=DEFAULT_PROFILE,
        overrides={},
        brands=None,
        order=Order(requested_by="key:fuzz", tags=["cup"], queued=True),
    ).job
    DetectJob.objects.filter(id=waiting.id, status=JobStatus.RUNNING).update(status=JobStatus.PENDING)
    (roots / "match.mp4").write_bytes(Path(asset.path).read_bytes())
    lonely = SourceAsset.objects.create(sha256="0" * 64, path="storage:uploads/gone.mp4", probe={})
    owner = f"key:{made[Role.OPERATOR][0].pk}"
    begun = upload_create(owner=owner, filename="match.mp4", length=1000)
    upload_append(upload_id=begun.id, owner=owner, offset=0, blocks=[b"0123"], announced=4)
    refused = upload_create(owner=owner, filename="match.mp4", length=4)
    with suppress(MediaprocError):
        upload_append(upload_id=refused.id, owner=owner, offset=0, blocks=[b"text"], announced=4)
    dataset = _build_batches(roots, finished=job, waiting=waiting)
    known = {
        **dict(zip(JOBS, (job.id, waiting.id), strict=True)),
        **dict(zip(ASSETS, (asset.id, lonely.id), strict=True)),
        **dict(zip(NODES, (nodes[4].id, nodes[-1].id), strict=True)),
        DATASETS[0]: dataset.id,
        **dict(zip(UPLOADS, (begun.id, refused.id), strict=True)),
        **dict(zip(BRANDS, (brand.id for brand in brands[:2]), strict=True)),
    }
    files = {path: path.read_bytes() for path in settings.UPLOADS_FOLDER.iterdir()}
    keys = {role: key for role, (_, key) in made.items()}
    return World(keys=keys, ids={one: str(other) for one, other in known.items()}, files=files)


def _build_batches(roots: Path, *, finished: DetectJob, waiting: DetectJob) -> Dataset:
    """A dataset with a batch that has ended and one that waits, under the ids of the jobs, and a preset."""
    dataset = Dataset.objects.create(name="fuzz", base_path=str(roots))
    DatasetVideo.objects.create(dataset=dataset, path="match.mp4", size_bytes=1, modified_ns=1, has_pictures=True)
    Preset.objects.create(name=examples.PRESET, pipelines={"scenes": {}})
    for job, state in ((finished, BatchState.SUCCEEDED), (waiting, BatchState.QUEUED)):
        batch = AnnotationJob.objects.create(
            id=job.id,
            dataset=dataset,
            state=state,
            tags=["cup"],
            configuration={"pipelines": {"scenes": {"params": {}}}},
        )
        video = AnnotationVideo.objects.create(job=batch, position=0, path="match.mp4", folder="match.mp4", state=state)
        run = AnnotationRun.objects.create(video=video, pipeline="scenes", position=0, state=state)
        batch_log(batch.id, ["a line"])
        batch_tell(batch)
        if state == BatchState.SUCCEEDED:
            default_storage.save(f"outputs/{batch.id}/{examples.ARTIFACT}", ContentFile(b"scenes"))
            ArtifactFile.objects.create(
                run=run, type="json", role="scenes", path=examples.ARTIFACT, sha256="0" * 64, size_bytes=6
            )
    return dataset


def document() -> dict[str, Any]:
    """The document as ``/api/schema`` gives it."""
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]


def with_values(plain: dict[str, Any]) -> dict[str, Any]:
    """The document with ``VALUES`` beside what it allows: about every other request then names what there is.

    Only requests change. What an answer must look like is as it was.
    """
    made = copy.deepcopy(plain)
    for path in made["paths"].values():
        for operation in path.values():
            for parameter in operation.get("parameters", ()):
                _widen(parameter, "schema", parameter["name"])
    for name, schema in made["components"]["schemas"].items():
        if name.endswith("Request"):
            for field in schema.get("properties", {}):
                _widen(schema["properties"], field, field)
    return made


def _widen(holder: dict[str, Any], key: str, name: str) -> None:
    if name in VALUES:
        holder[key] = {"anyOf": [{"enum": VALUES[name]}, holder[key]]}


class Site:
    """The site as a WSGI application, in which ids that stand in for others become those."""

    def __init__(self) -> None:
        self.ids: Mapping[str, str] = {}
        self._site = WSGIHandler()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        for one, other in self.ids.items():
            for name in ("PATH_INFO", "QUERY_STRING"):
                environ[name] = environ[name].replace(one, other)
            body = body.replace(one.encode(), other.encode())
        environ["wsgi.input"] = io.BytesIO(body)
        with _kept_connection():
            response = self._site(environ, start_response)
            content = b"".join(response)
            response.close()
        return [content]


@contextmanager
def _kept_connection() -> Iterator[None]:
    """A request and its end leave the database connection, and with it the transaction, as they are."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in signals:
            signal.connect(close_old_connections)
