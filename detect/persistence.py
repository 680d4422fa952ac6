"""Where Postgres and storage meet the engine: Django-backed checkpoint store, answer store and frames."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from decimal import Decimal
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import cv2
import msgspec
import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import Error, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Max, Q, QuerySet, Sum
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential

from detect.checkpoints.outputs import save_stage_output
from detect.checkpoints.store import CheckpointRecord, OutputRef
from detect.errors import FrameMissingError, StorageError
from detect.models import Checkpoint, ModelAnswer, ModelCharge, SourceAsset, StageOutput, Timeline
from detect.providers.answers import StoredAnswer
from detect.providers.limits import Spent
from detect.stages.base import Image, Options, Stage
from detect.stages.extract_frames import ExtractFramesOptions, ExtractFramesOutput, encode_jpeg, perceptual_hash
from detect.types import FrameSignals, Sample

T = TypeVar("T")

_RESTART_TAKES = 20.0  # seconds, and some more
_REF_FIELDS = ("key", "stage", "digest", "size", "seconds", "stats", "skipped", "incomplete", "files")
_NODE_FIELDS = tuple(name for name in CheckpointRecord.__struct_fields__)
_BRANCH = """
WITH RECURSIVE branch AS (
    SELECT * FROM detect_checkpoint WHERE id = %s
    UNION ALL
    SELECT parent.* FROM detect_checkpoint parent JOIN branch ON parent.id = branch.parent_id
)
SELECT * FROM branch ORDER BY stage_index
"""


@contextmanager
def database_errors() -> Iterator[None]:
    """Turn what a database says that cannot go on (full disk, lost connection) into ``StorageError``."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise StorageError(f"the database cannot go on: {reason}") from error


def over_restarts(act: Callable[[], T], *, within: float = _RESTART_TAKES) -> T:
    """Do something in the database, again and again for ``within`` seconds while it is away.

    Raises what it raised last. For what must not be lost, outside of transactions.
    """
    attempts = Retrying(
        retry=retry_if_exception_type((OperationalError, InterfaceError)),
        wait=wait_exponential(multiplier=0.1, max=2.0),
        stop=stop_after_delay(within),
        before_sleep=lambda _: connection.close(),
        reraise=True,
    )
    return attempts(act)


class DatabaseCheckpointStore:
    """:class:`~detect.checkpoints.store.CheckpointStore` in Postgres."""

    def find_output(self, key: str) -> OutputRef | None:
        return self.find_outputs([key]).get(key)

    def find_outputs(self, keys: list[str]) -> dict[str, OutputRef]:
        rows = StageOutput.objects.filter(key__in=keys).values(*_REF_FIELDS)
        return {row["key"]: OutputRef(**row) for row in rows}

    def load_output(self, key: str) -> bytes:
        body = StageOutput.objects.filter(key=key).values_list("body", flat=True).first()
        if body is None:
            raise KeyError(key)
        return bytes(body)

    def load_outputs(self, keys: list[str]) -> dict[str, bytes]:
        """The packed bodies of those of ``keys`` that are stored, in one query: for outputs that are small together."""
        rows = StageOutput.objects.filter(key__in=keys).values_list("key", "body")
        return {key: bytes(body) for key, body in rows}

    def put_output(self, ref: OutputRef, packed: bytes) -> None:
        StageOutput.objects.bulk_create(
            [StageOutput(**msgspec.structs.asdict(ref), body=packed)], ignore_conflicts=True
        )

    def add_checkpoint(self, record: CheckpointRecord) -> CheckpointRecord:
        fields = msgspec.structs.asdict(record)
        step = {name: fields.pop(name) for name in ("job_id", "parent_id", "stage")}
        fields.pop("created_at")
        node, _ = Checkpoint.objects.get_or_create(**step, defaults=fields)
        return _record(node)

    def get_checkpoint(self, checkpoint_id: UUID) -> CheckpointRecord:
        node = Checkpoint.objects.filter(id=checkpoint_id).first()
        if node is None:
            raise KeyError(checkpoint_id)
        return _record(node)

    def branch(self, checkpoint_id: UUID) -> list[CheckpointRecord]:
        """From the first stage to a checkpoint, in one query. Raises ``KeyError`` for an unknown id."""
        nodes = [_record(node) for node in Checkpoint.objects.raw(_BRANCH, [checkpoint_id])]
        if not nodes:
            raise KeyError(checkpoint_id)
        return nodes

    def list_checkpoints(self, job_id: UUID) -> list[CheckpointRecord]:
        return self.list_checkpoints_of([job_id])

    def list_checkpoints_of(self, job_ids: list[UUID]) -> list[CheckpointRecord]:
        """Nodes that any of these jobs made, parents before children, in one query."""
        nodes = Checkpoint.objects.filter(job_id__in=job_ids).order_by("stage_index", "created_at")
        return [_record(node) for node in nodes]

    def list_scenarios(self) -> list[CheckpointRecord]:
        return [_record(node) for node in Checkpoint.objects.filter(is_scenario=True).order_by("-created_at")]

    def label_checkpoint(self, checkpoint_id: UUID, label: str) -> CheckpointRecord:
        Checkpoint.objects.filter(id=checkpoint_id).update(is_scenario=bool(label), scenario_label=label)
        return self.get_checkpoint(checkpoint_id)


class DatabaseAnswerStore:
    """:class:`~detect.providers.answers.AnswerStore` in Postgres. An answer once stored stays.

    A question is held by an advisory lock of the session: a killed process leaves nothing behind to clean up.
    """

    def __init__(self) -> None:
        self._held: set[str] = set()  # the session would be given its own lock again
        self._lock = threading.Lock()

    def get(self, digest: str) -> StoredAnswer | None:
        body = ModelAnswer.objects.filter(digest=digest).values_list("body", flat=True).first()
        return None if body is None else msgspec.json.decode(bytes(body), type=StoredAnswer)

    def find(self, digests: Sequence[str]) -> set[str]:
        return set(ModelAnswer.objects.filter(digest__in=digests).values_list("digest", flat=True))

    def put(self, digest: str, answer: StoredAnswer) -> None:
        row = ModelAnswer(
            digest=digest,
            provider=answer.provider,
            model=answer.model,
            body=msgspec.json.encode(answer),
            usd=answer.usd,
        )
        # it was paid for: a database that restarts just now must not have it asked again
        over_restarts(lambda: ModelAnswer.objects.bulk_create([row], ignore_conflicts=True))

    def hold(self, digest: str) -> bool:
        with self._lock:
            if digest in self._held:
                return False
            self._held.add(digest)
        held = False
        try:
            held = _ask_session("SELECT pg_try_advisory_lock(%s)", digest)
        finally:
            if not held:
                self._forget(digest)
        return held

    def let_go(self, digest: str) -> None:
        self._forget(digest)
        with suppress(Error):  # a connection that was lost has let go of it already
            _ask_session("SELECT pg_advisory_unlock(%s)", digest)

    def _forget(self, digest: str) -> None:
        with self._lock:
            self._held.discard(digest)


class DatabaseLedger:
    """:class:`~detect.providers.limits.Ledger` of one job in Postgres."""

    def __init__(self, job_id: UUID) -> None:
        self._job_id = job_id

    def spent(self) -> Spent:
        return spent_by([self._job_id])

    def open(self, digest: str, most: Decimal) -> int:
        return ModelCharge.objects.create(job_id=self._job_id, digest=digest, calls=1, usd=most, most_usd=most).pk

    def close(self, entry: int, *, calls: int, usd: Decimal) -> None:
        over_restarts(lambda: ModelCharge.objects.filter(pk=entry).update(calls=calls, usd=usd))


def spent_by(jobs: Sequence[UUID] | QuerySet[Any]) -> Spent:
    """What the jobs of these ids asked of models, all together."""
    dearer = Max(F("usd") / (F("most_usd") * F("calls")), filter=Q(most_usd__gt=0, calls__gt=0))
    charges = ModelCharge.objects.filter(job_id__in=jobs)
    total = charges.aggregate(all_calls=Sum("calls"), all_usd=Sum("usd"), dearer=dearer)
    overrun = max(Decimal(1), total["dearer"] or Decimal(1))
    return Spent(total["all_calls"] or 0, total["all_usd"] or Decimal(0), overrun)


class StorageFrames:
    """Frames of one timeline in a Django storage, one JPEG a sequence."""

    def __init__(self, storage: Storage, prefix: str) -> None:
        self._storage = storage
        self._prefix = prefix

    def key(self, sequence: int) -> str:
        """Storage key of a frame. Thousands share a folder: no folder grows without bound."""
        return f"{self._prefix}/{sequence // 1000:04d}/{sequence:07d}.jpg"

    def load(self, sequence: int) -> Image:
        """The frame as a ``(height, width, 3)`` BGR array. Raises ``StorageError`` when it is missing or broken."""
        image = cv2.imdecode(np.frombuffer(self.load_jpeg(sequence), np.uint8), cv2.IMREAD_COLOR)
        if image is None:
            raise StorageError(f"the stored frame {self.key(sequence)} is not a readable JPEG")
        return image

    def load_jpeg(self, sequence: int) -> bytes:
        """The stored JPEG, not decoded. Raises ``StorageError`` when it is missing."""
        try:
            with self._storage.open(self.key(sequence), "rb") as file:
                content: bytes = file.read()
        except FileNotFoundError as error:
            raise FrameMissingError(f"the stored frame {self.key(sequence)} is missing") from error
        except OSError as error:
            raise StorageError(f"the stored frame {self.key(sequence)} cannot be read: {error}") from error
        return content

    def load_base64(self, sequence: int) -> str:
        """The stored JPEG as base64 text, for APIs."""
        return base64.b64encode(self.load_jpeg(sequence)).decode("ascii")

    def save_jpeg(self, sequence: int, jpeg: bytes) -> None:
        """Store a frame; the same sequence is overwritten. Raises ``StorageError`` when it cannot be written."""
        key = self.key(sequence)
        try:
            saved = self._storage.save(key, ContentFile(jpeg))
        except OSError as error:
            raise StorageError(f"frame {key} cannot be stored: {error.strerror or error}") from error
        if saved != key:
            raise StorageError(f"storage wrote {saved} instead of {key}: it must allow overwriting")


def timeline_id(source_sha256: str, first: Stage, options: Options) -> UUID:
    """The id of the timeline of a video gone through by a first stage with these options."""
    facts = [first.version, options]
    if not isinstance(options, ExtractFramesOptions):
        facts.insert(0, first.name)
    identity = msgspec.json.encode([source_sha256, *facts], order="deterministic")
    return uuid5(NAMESPACE_URL, hashlib.sha256(identity).hexdigest())


def timeline_for(asset: SourceAsset, first: Stage, options: Options, profile: str) -> Timeline:
    """The timeline of an asset gone through by a first stage with these options: the same one every time.

    It has frames where that stage samples them; else it is what checkpoints stand on, and its ``fps`` is 0.
    """
    fps = options.fps if isinstance(options, ExtractFramesOptions) else 0.0
    known = timeline_id(asset.sha256, first, options)
    timeline, _ = Timeline.objects.get_or_create(
        id=known,
        defaults={
            "source_asset": asset,
            "source_video": asset.path,
            "profile_name": profile,
            "fps": fps,
            "frames_prefix": f"timelines/{known}",
        },
    )
    return timeline


def timeline_record_frames(timeline: Timeline, frames: StorageFrames, chunks: Sequence[ExtractFramesOutput]) -> None:
    """Write the manifest and facts of all frames, once all chunks were extracted."""
    if timeline.frames_meta:
        return
    timeline.frames_meta = [
        {
            "sequence": sample.sequence,
            "chunk_id": chunk_id,
            "timestamp": sample.timestamp,
            "perceptual_hash": sample.perceptual_hash,
        }
        for chunk_id, chunk in enumerate(chunks)
        for sample in chunk.samples
    ]
    timeline.frames_manifest = {str(row["sequence"]): frames.key(row["sequence"]) for row in timeline.frames_meta}
    timeline.save(update_fields=["frames_meta", "frames_manifest"])


def timeline_create(
    *, asset: SourceAsset, profile: str, fps: float, images: dict[float, Image], job_id: UUID, storage: Storage
) -> tuple[UUID, UUID]:
    """A timeline from pictures that were not read from a video by this engine.

    ``images`` maps seconds of the video to BGR arrays of shape ``(height, width, 3)``. Stores them, makes the root
    checkpoint, from which every later stage can be replayed, and returns the ids of timeline and checkpoint.
    """
    timeline_id = uuid4()
    frames = StorageFrames(storage, f"timelines/{timeline_id}")
    samples = []
    for second, image in sorted(images.items()):
        jpeg = encode_jpeg(image, ExtractFramesOptions().jpeg_quality)
        sequence = round(second * fps)
        frames.save_jpeg(sequence, jpeg)
        samples.append(
            Sample(
                sequence=sequence,
                timestamp=second,
                perceptual_hash=perceptual_hash(image),
                digest=hashlib.sha256(jpeg).hexdigest(),
            )
        )
    output = ExtractFramesOutput(samples=samples, signals=FrameSignals([], [], [], []), stats={"frames": len(samples)})
    with transaction.atomic():
        timeline = Timeline.objects.create(
            id=timeline_id,
            source_asset=asset,
            source_video=asset.path,
            profile_name=profile,
            fps=fps,
            frames_prefix=f"timelines/{timeline_id}",
        )
        timeline_record_frames(timeline, frames, [output])
        store = DatabaseCheckpointStore()
        root = save_stage_output(store, stage="extract_frames", parts=[output], timeline_id=timeline_id, job_id=job_id)
    return timeline_id, root.id


def _ask_session(query: str, digest: str) -> bool:
    """What a function of Postgres says about the lock that stands for a digest."""
    with connection.cursor() as cursor:
        cursor.execute(query, [int.from_bytes(bytes.fromhex(digest[:16]), signed=True)])
        row = cursor.fetchone()
    return bool(row and row[0])


def _record(node: Checkpoint) -> CheckpointRecord:
    return CheckpointRecord(**{name: getattr(node, name) for name in _NODE_FIELDS})
