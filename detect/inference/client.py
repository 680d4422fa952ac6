"""The client a worker uses where its models run on an inference server."""

from __future__ import annotations

import base64
import time
from functools import partial
from threading import Lock
from typing import TypeVar

import cv2
import httpx
import msgspec

from detect.errors import InferenceError
from detect.inference.wire import Answer, Ask, Health, ObjectsInfo
from detect.resources import ObjectModel
from detect.stages.base import Image
from detect.stages.detect_objects import DetectObjects
from detect.types import Region

T = TypeVar("T")

_HEALTH_IS_GOOD_FOR = 10.0
_MOST_OBJECTS = 1000
_FAST_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


class InferenceClient:
    """Talks to one server. Safe for use from several threads.

    A connection that cannot be made is tried ``retries`` times more; a server with a full queue is asked again for
    ``patience`` seconds. Whatever else goes wrong raises ``InferenceError`` at once: whoever called tries again later.
    """

    def __init__(
        self, url: str, *, key: str = "", timeout: float = 30.0, retries: int = 2, patience: float = 60.0
    ) -> None:
        self.url = url.rstrip("/")
        self._patience = patience
        self._http = httpx.Client(
            base_url=self.url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(timeout, connect=min(timeout, 5.0)),
            transport=httpx.HTTPTransport(retries=retries),
            trust_env=False,
        )
        self._lock = Lock()
        self._known: tuple[float, Health] | None = None

    @property
    def no_weights(self) -> str:
        """Why there are no objects, where :meth:`object_model` gives None."""
        return f"the inference server {self.url} has no object weights: start it with --weights"

    def health(self) -> Health:
        """What the server has loaded, asked anew after some seconds. Raises ``InferenceError``."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > _HEALTH_IS_GOOD_FOR:
                self._known = (time.monotonic(), self._send("GET", "/healthz", None, Health))
            return self._known[1]

    def object_model(self) -> ObjectModel | None:
        """The server's object detector, None where it has none. Raises ``InferenceError``."""
        health = self.health()
        objects = health.models.detect_objects
        if objects is None:
            return None
        stage, there = DetectObjects.name, health.stages.get(DetectObjects.name)
        if there != DetectObjects.version:
            raise InferenceError(
                f"the inference server {self.url} has {stage} {there}, not {DetectObjects.version}: update it"
            )
        return ObjectModel(objects.name, objects.digest, partial(RemoteObjectDetector, self, objects))

    def detect_objects(self, image: Image, *, confidence: float, iou: float) -> Answer:
        """Objects in a ``(height, width, 3)`` BGR picture, which travels as a PNG: not a pixel changes."""
        config = {"confidence": confidence, "iou": iou, "max_per_frame": _MOST_OBJECTS}
        return self._send("POST", "/detect_objects", Ask(_png(image), config), Answer)

    def close(self) -> None:
        self._http.close()

    def _send(self, method: str, path: str, ask: Ask | None, kind: type[T]) -> T:
        content = None if ask is None else msgspec.json.encode(ask)
        until = time.monotonic() + self._patience
        while True:
            try:
                response = self._http.request(method, path, content=content, headers=_JSON)
            except httpx.HTTPError as error:
                reason = str(error) or type(error).__name__
                raise InferenceError(f"the inference server {self.url} cannot be reached: {reason}") from error
            pause = _pause(response)
            if pause is None or time.monotonic() + pause > until:
                break
            time.sleep(pause)
        if response.status_code != httpx.codes.OK:
            said = f"{response.status_code} {response.text[:200]}"
            raise InferenceError(f"the inference server {self.url} answered {path} with {said}")
        try:
            return msgspec.json.decode(response.content, type=kind)
        except msgspec.MsgspecError as error:
            raise InferenceError(f"{self.url}{path} is no inference server of this kind: {error}") from error


class RemoteObjectDetector:
    """An :class:`~detect.engines.objects.ObjectDetector` on an inference server."""

    def __init__(self, client: InferenceClient, objects: ObjectsInfo) -> None:
        self._client = client
        self.digest, self.class_names, self.device = objects.digest, objects.classes, objects.device

    def detect(self, image: Image, *, confidence: float, iou: float) -> list[Region]:
        """See the protocol. Raises ``InferenceError``, also where the server has other weights by now."""
        answer = self._client.detect_objects(image, confidence=confidence, iou=iou)
        if answer.model != self.digest:
            raise InferenceError(f"the inference server {self._client.url} has other object weights than a moment ago")
        return [region.region() for region in answer.regions]


_JSON = {"Content-Type": "application/json"}


def _png(image: Image) -> str:
    ok, buffer = cv2.imencode(".png", image, _FAST_PNG)
    if not ok:
        raise ValueError(f"cannot encode a picture of shape {image.shape} as PNG")
    return base64.b64encode(buffer.tobytes()).decode("ascii")


def _pause(response: httpx.Response) -> float | None:
    """Seconds after which a server that is overloaded wants to be asked again; None for any other answer."""
    given = response.headers.get("Retry-After", "")
    if response.status_code != httpx.codes.SERVICE_UNAVAILABLE or not given.isdecimal():
        return None
    return max(0.05, float(given))
