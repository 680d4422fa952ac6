"""Ways to put the same question, for servers that understand only part of the API."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace
from typing import Any, Literal

from detect.providers.catalog import Provider
from detect.providers.questions import ANSWER_SCHEMA, SYSTEM_PROMPT, Question

Format = Literal["json_schema", "json_object", "text"]
_WEAKER: dict[Format, Format] = {"json_schema": "json_object", "json_object": "text"}


@dataclass(frozen=True)
class RequestShape:
    """What a request carries besides the question: how the answer is to be formed, and which names fields have."""

    response_format: Format = "json_schema"
    tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True

    @classmethod
    def first_for(cls, provider: Provider) -> RequestShape:
        """The strictest shape to try with a provider."""
        return cls() if provider.response_format == "auto" else cls(response_format=provider.response_format)

    def simpler(self, complaint: str, provider: Provider) -> RequestShape | None:
        """The next shape to try after the server said ``complaint``; None when there is no simpler one."""
        if self.tokens_field == "max_tokens" and "max_completion_tokens" in complaint:
            return replace(self, tokens_field="max_completion_tokens")
        if self.temperature and "temperature" in complaint:
            return replace(self, temperature=False)
        if provider.response_format == "auto" and self.response_format in _WEAKER:
            return replace(self, response_format=_WEAKER[self.response_format])
        return None

    def body(self, provider: Provider, question: Question, temperature: float) -> dict[str, Any]:
        """The JSON body of a chat completion request."""
        pictures = [
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{base64.b64encode(image).decode()}"}}
            for image in question.images
        ]
        body: dict[str, Any] = {
            "model": provider.model,
            "messages": [
                {"role": "system", "content": SYSTEM_PROMPT},
                {"role": "user", "content": [{"type": "text", "text": question.text}, *pictures]},
            ],
            self.tokens_field: provider.max_output_tokens,
        }
        if self.temperature:
            body["temperature"] = temperature
        if self.response_format == "json_schema":
            schema = {"name": "brand_answer", "strict": True, "schema": ANSWER_SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        elif self.response_format == "json_object":
            body["response_format"] = {"type": "json_object"}
        return {**body, **provider.extra_body}
