"""One call to an OpenAI-compatible chat completions endpoint."""

from __future__ import annotations

import email.utils
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from types import TracebackType

import httpx
import msgspec

from detect.checkpoints import serde
from detect.providers.answers import Answer
from detect.providers.catalog import Provider
from detect.providers.failures import (
    BrokenOffError,
    BusyError,
    CallFailedError,
    MisconfiguredError,
    NonsenseError,
    RefusedError,
    UnreachableError,
    Usage,
)
from detect.providers.parsing import parse_answer
from detect.providers.questions import Question
from detect.providers.request_shapes import RequestShape

_MAX_RESPONSE_BYTES = 2_000_000
_MAX_ANSWER_CHARACTERS = 20_000
_MAX_COMPLAINT = 160
_SHORTEST_KEY = 8
_NOT_UNDERSTOOD = frozenset({400, 415, 422, 501})
_COME_BACK_LATER = frozenset({408, 409, 425, 429})


@dataclass(frozen=True)
class Reply:
    """An answer with the model's own text, its tokens and how many seconds the call took."""

    answer: Answer
    raw: str
    usage: Usage
    seconds: float


@dataclass(frozen=True)
class _Response:
    status: int
    headers: Mapping[str, str]
    text: str


class _Message(msgspec.Struct):
    content: str | list[dict[str, object]] | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Tokens(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    usage: _Tokens | None = None


class OpenAIClient:
    """Asks one provider. Safe to use from several threads; close it, or use it as a context manager.

    The key is in the client's headers only: no message, answer or log line made here can hold it.
    """

    def __init__(self, provider: Provider, api_key: str = "") -> None:
        self.provider = provider
        self._api_key = api_key
        self._shape = RequestShape.first_for(provider)
        headers = {"User-Agent": "mediaproc", "Accept": "application/json"}
        if api_key:
            headers["Authorization"] = f"Bearer {api_key}"
        self._http = httpx.Client(
            headers=headers,
            timeout=provider.timeout_s,
            limits=httpx.Limits(max_connections=provider.concurrency),
            proxy=provider.proxy or None,
            verify=_certificates(),
            # Nothing but the providers file says where a request goes.
            trust_env=False,
            follow_redirects=False,
        )

    def __enter__(self) -> OpenAIClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def ask(self, question: Question, *, temperature: float = 0.0, idempotency_key: str = "") -> Reply:
        """Ask once. A server that does not understand the request is asked again at once in a simpler shape.

        ``idempotency_key`` is sent along: a provider that honours it charges once for requests with the same one, as
        when a process dies after its question was answered and before the answer was kept. Raises a
        :class:`~detect.providers.failures.CallFailedError`.
        """
        shape = self._shape
        while True:
            started = time.monotonic()
            response = self._post(shape.body(self.provider, question, temperature), idempotency_key)
            seconds = time.monotonic() - started
            if response.status == 200:
                # Kept only now: a request refused for its picture must not weaken the shape for all others.
                self._shape = shape
                return self._reply(question, response.text, seconds)
            simpler = shape.simpler(response.text, self.provider) if _blames_shape(response) else None
            if simpler is None:
                raise self._failure(response)
            shape = simpler

    def _post(self, body: dict[str, object], idempotency_key: str) -> _Response:
        """Send a request and read all of the response, within the time limit as a whole and within a size limit."""
        deadline = time.monotonic() + self.provider.timeout_s
        chunks = bytearray()
        url = f"{self.provider.base_url}/chat/completions"
        headers = {"Idempotency-Key": _key_of(body, idempotency_key)} if idempotency_key else None
        try:
            with self._http.stream("POST", url, json=body, headers=headers) as response:
                for chunk in response.iter_bytes():
                    chunks += chunk
                    if time.monotonic() > deadline:
                        raise BrokenOffError(self._slow())
                    if len(chunks) > _MAX_RESPONSE_BYTES:
                        raise BrokenOffError(f"its response is longer than {_MAX_RESPONSE_BYTES} bytes")
        except httpx.ConnectTimeout:
            raise UnreachableError(
                f"no connection to {self.provider.base_url} within {self.provider.timeout_s:g} s"
            ) from None
        except httpx.TimeoutException:
            raise BrokenOffError(self._slow()) from None
        except httpx.ConnectError as error:
            raise UnreachableError(f"no connection to {self.provider.base_url}: {self._redacted(str(error))}") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = self._redacted(str(error)) or type(error).__name__
            raise BrokenOffError(f"the connection to {self.provider.base_url} broke: {reason}") from None
        return _Response(response.status_code, response.headers, chunks.decode("utf-8", "replace"))

    def _slow(self) -> str:
        return f"no answer within {self.provider.timeout_s:g} s"

    def _reply(self, question: Question, text: str, seconds: float) -> Reply:
        try:
            completion = msgspec.json.decode(text, type=_Completion)
        except (msgspec.DecodeError, UnicodeError):
            raise NonsenseError("it answered nonsense: not a chat completion", usage=self._unknown(question)) from None
        usage = self._usage(question, completion.usage)
        if not completion.choices:
            raise NonsenseError("it answered nonsense: a chat completion without choices", usage=usage)
        choice = completion.choices[0]
        raw = self._redacted(_content(choice.message))[:_MAX_ANSWER_CHARACTERS]
        try:
            answer = parse_answer(raw)
        except NonsenseError as error:
            raise NonsenseError(self._explain(error.message, choice), usage=usage) from None
        return Reply(answer=answer, raw=raw, usage=usage, seconds=seconds)

    def _explain(self, problem: str, choice: _Choice) -> str:
        if choice.finish_reason == "length":
            return f"its answer was cut off at max_output_tokens = {self.provider.max_output_tokens}"
        if choice.message.refusal:
            return f"it declined to answer: {self._redacted(choice.message.refusal)[:_MAX_COMPLAINT]}"
        return problem

    def _usage(self, question: Question, tokens: _Tokens | None) -> Usage:
        if tokens is None or tokens.prompt_tokens <= 0 or tokens.completion_tokens < 0:
            return self._unknown(question)
        return Usage(tokens.prompt_tokens, tokens.completion_tokens)

    def _unknown(self, question: Question) -> Usage:
        """What to count where a server does not say: the most it can have been."""
        return Usage(*question.most_tokens(self.provider))

    def _failure(self, response: _Response) -> CallFailedError:
        status, name = response.status, self.provider.name
        if status in (401, 403):
            # Its text is left out: providers quote part of the key in it.
            key = self.provider.api_key_env
            hint = f"check the key in {key}" if key else "it needs a key: set api_key_env"
            return MisconfiguredError(f"provider '{name}' refused access ({status}); {hint}")
        said = self._complaint(response.text)
        if status == 404:
            return MisconfiguredError(
                f"{self.provider.base_url} has no model '{self.provider.model}' or no such path{said}"
            )
        if status == 402 or (status == 429 and "insufficient_quota" in response.text):
            return MisconfiguredError(f"the account at provider '{name}' has no credit left{said}")
        if status < 400 or status == 405:
            return MisconfiguredError(f"{self.provider.base_url} is not a chat completions endpoint (status {status})")
        if status in _COME_BACK_LATER or status >= 500:
            return BusyError(f"status {status}{said}", retry_after=_retry_after(response.headers))
        return RefusedError(f"refused with status {status}{said}")

    def _complaint(self, text: str) -> str:
        """What the server said about an error, short and in one line; empty when it said nothing readable."""
        try:
            parsed = msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError):
            return ""
        error = parsed.get("error", parsed) if isinstance(parsed, dict) else parsed
        message = error.get("message", error.get("detail", "")) if isinstance(error, dict) else error
        said = " ".join(self._redacted(str(message)).split())[:_MAX_COMPLAINT]
        return f": {said}" if said else ""

    def _redacted(self, text: str) -> str:
        # A shorter one is a placeholder such as "ollama" or "EMPTY", and a word that answers may well hold.
        return text.replace(self._api_key, "[key]") if len(self._api_key) >= _SHORTEST_KEY else text


def _key_of(body: dict[str, object], key: str) -> str:
    """The same for the same request alone: a key that comes with another body is refused."""
    return serde.digest([key, body])


@cache
def _certificates() -> ssl.SSLContext:
    """The authorities that are trusted; reading them takes longer than many a call."""
    return httpx.create_ssl_context(trust_env=False)


def _blames_shape(response: _Response) -> bool:
    if response.status == 500:
        return any(word in response.text for word in ("response_format", "json_schema", "grammar"))
    return response.status in _NOT_UNDERSTOOD


def _content(message: _Message) -> str:
    if isinstance(message.content, list):
        return "".join(str(part.get("text", "")) for part in message.content)
    return message.content or ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait, given as a number or as a date."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        until = email.utils.parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (aware - datetime.now(UTC)).total_seconds())
