"""Lists of jobs and sightings: filters, order, and pages that are found without going through those before them."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import django_filters
from django.core.exceptions import ValidationError
from django.db.models import CharField, Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Cast
from django.utils.dateparse import parse_datetime
from django_filters.fields import IsoDateTimeField

from brands.models import KnownBrand, Source, SourceBrandSighting
from brands.models.known import name_key
from detect.errors import ConfigError
from detect.registry import report_pipelines
from jobs.choices import JobStatus, RunType
from jobs.models import AnnotationRun, DetectJob

ModelT = TypeVar("ModelT", bound=Model)

#: Columns that lists do not show and that can be large.
_HEAVY = ("known_brands",)


class _MomentField(IsoDateTimeField):
    """A time as UTC: ISO 8601 has offsets that Postgres does not know."""

    def clean(self, value: Any) -> datetime | None:
        given: datetime | None = super().clean(value)
        try:
            return given and given.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError("there is no such time in UTC") from error


class _MomentFilter(django_filters.IsoDateTimeFilter):
    field_class = _MomentField


class JobFilter(django_filters.FilterSet):
    """What jobs can be narrowed down to. Several values of ``status`` or ``run_type`` mean any of them."""

    status = django_filters.MultipleChoiceFilter(choices=JobStatus.choices)
    run_type = django_filters.MultipleChoiceFilter(choices=RunType.choices)
    profile = django_filters.CharFilter(field_name="profile_name")
    pipeline = django_filters.CharFilter()
    tag = django_filters.CharFilter(method="with_tag")
    brand = django_filters.CharFilter(method="with_brand", label="name in any spelling, or id")
    asset = django_filters.UUIDFilter(field_name="source_asset_id")
    parent = django_filters.UUIDFilter(field_name="parent_job_id")
    created_after = _MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = _MomentFilter(field_name="created_at", lookup_expr="lt")
    search = django_filters.CharFilter(method="with_text", label="part of path, tag, requester or id")
    ordering = django_filters.OrderingFilter(
        fields=("created_at", "started_at", "completed_at", "priority", "status", "progress", "brands_found")
    )

    class Meta:
        model = DetectJob
        fields: list[str] = []

    def with_tag(self, jobs: QuerySet[DetectJob], _name: str, tag: str) -> QuerySet[DetectJob]:
        return jobs.filter(tags__contains=[tag])

    def with_brand(self, jobs: QuerySet[DetectJob], _name: str, brand: str) -> QuerySet[DetectJob]:
        """Jobs on videos in which the brand was seen."""
        found = brand_named(brand)
        if found is None:
            return jobs.none()
        seen = SourceBrandSighting.objects.filter(brand_id=found, source_asset_id=OuterRef("source_asset_id"))
        return jobs.filter(Exists(seen))

    def with_text(self, jobs: QuerySet[DetectJob], _name: str, text: str) -> QuerySet[DetectJob]:
        return jobs.annotate(id_text=Cast("id", CharField())).filter(
            Q(video_path__icontains=text)
            | Q(tags__contains=[text])
            | Q(requested_by__icontains=text)
            | Q(id_text__startswith=text.lower())
        )


class SightingFilter(django_filters.FilterSet):
    """What sightings can be narrowed down to."""

    brand = django_filters.CharFilter(method="with_brand", label="name in any spelling, or id")
    asset = django_filters.UUIDFilter(field_name="source_asset_id")
    source = django_filters.ChoiceFilter(field_name="detection_source", choices=Source.choices)

    class Meta:
        model = SourceBrandSighting
        fields: list[str] = []

    def with_brand(
        self, sightings: QuerySet[SourceBrandSighting], _name: str, brand: str
    ) -> QuerySet[SourceBrandSighting]:
        found = brand_named(brand)
        return sightings.none() if found is None else sightings.filter(brand_id=found)


@dataclass(frozen=True)
class JobPage:
    """Some jobs of a list, in its order, and how many it has in all."""

    jobs: list[DetectJob]
    total: int


@dataclass(frozen=True)
class SightingPage:
    """Some sightings, newest first, and the cursors of the pages beside it; None where there is none."""

    sightings: list[SourceBrandSighting]
    next: str | None
    previous: str | None


def job_list(filters: Mapping[str, Any]) -> QuerySet[DetectJob]:
    """Jobs that fit ``filters`` (the names of :class:`JobFilter`), newest first unless ``ordering`` says otherwise.

    Raises ``ConfigError`` naming the filter whose value makes no sense.
    """
    found = JobFilter(filters, DetectJob.objects.defer(*_HEAVY))
    jobs: QuerySet[DetectJob] = _checked(found)
    # Jobs of one moment stay in one order from page to page.
    return jobs.order_by(*jobs.query.order_by, "-id") if jobs.query.order_by else jobs


def outside_batches(jobs: QuerySet[DetectJob]) -> QuerySet[DetectJob]:
    """Without the pieces of batches whose results are shown there alone; analyses of brands are jobs like any other."""
    runs = AnnotationRun.objects.filter(detect_job_id=OuterRef("id"))
    return jobs.filter(Q(pipeline__in=report_pipelines()) | ~Exists(runs))


def job_page(filters: Mapping[str, Any], *, limit: int, offset: int = 0) -> JobPage:
    """One page of :func:`job_list`, in two queries."""
    jobs = job_list(filters)
    total = jobs.order_by().count()
    # Only ids are counted off; the rows are fetched for the page alone.
    ids = jobs.values("id")[offset : offset + limit]
    return JobPage(list(jobs.filter(id__in=ids)), total) if offset < total else JobPage([], total)


def sighting_page(filters: Mapping[str, Any], *, limit: int, cursor: str = "", last: bool = False) -> SightingPage:
    """A page of sightings that fit ``filters``, newest first: the first, that of ``cursor``, or the ``last``.

    Every page is found through an index, however many come before it. Raises ``ConfigError`` for a filter or cursor
    that makes no sense.
    """
    found: QuerySet[SourceBrandSighting] = _checked(SightingFilter(filters, SourceBrandSighting.objects.all()))
    at = _Place(backwards=True) if last else _Place.read(cursor) if cursor else _Place()
    order = ("created_at", "id") if at.backwards else ("-created_at", "-id")
    rows = list(at.behind(found).order_by(*order)[: limit + 1])
    more, rows = len(rows) > limit, rows[:limit]
    if at.backwards:
        rows.reverse()
    follows, precedes = (not last, more) if at.backwards else (more, at.created_at is not None)
    return SightingPage(
        sightings=rows,
        next=_Place(rows[-1].created_at, rows[-1].id).written() if rows and follows else None,
        previous=_Place(rows[0].created_at, rows[0].id, backwards=True).written() if rows and precedes else None,
    )


def brand_named(brand: str) -> UUID | None:
    """Id of the brand with this name or alias, in any spelling, or with this id; None where there is none."""
    known = KnownBrand.objects.values_list("id", flat=True)
    try:
        wanted = Q(id=UUID(brand))
    except ValueError:
        key = name_key(brand)
        wanted = Q(normalized_name=key) | Q(aliases__normalized=key)
    return known.filter(wanted).first()


@dataclass(frozen=True)
class _Place:
    """Where a page begins: behind a row of the list, or before it when the list is read ``backwards``."""

    created_at: datetime | None = None
    id: UUID | None = None
    backwards: bool = False

    @classmethod
    def read(cls, cursor: str) -> _Place:
        """The place that :meth:`written` gave. Raises ``ConfigError`` for anything else."""
        try:
            direction, moment, row = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
            created_at = parse_datetime(moment)
            if created_at is None or created_at.tzinfo is None or direction not in ("next", "previous"):
                raise ValueError(cursor)
            return cls(created_at.astimezone(UTC), UUID(row), backwards=direction == "previous")
        except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error) as error:
            raise ConfigError("cursor: take it from `next` or `previous` of an earlier page") from error

    def written(self) -> str:
        assert self.created_at is not None
        parts = ["previous" if self.backwards else "next", self.created_at.isoformat(), str(self.id)]
        return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode("ascii")

    def behind(self, rows: QuerySet[ModelT]) -> QuerySet[ModelT]:
        if self.created_at is None:
            return rows
        # The first condition is what an index is searched by; the second settles rows of one moment.
        if self.backwards:
            return rows.filter(created_at__gte=self.created_at).exclude(created_at=self.created_at, id__lte=self.id)
        return rows.filter(created_at__lte=self.created_at).exclude(created_at=self.created_at, id__gte=self.id)


def _checked(found: django_filters.FilterSet) -> QuerySet[Any]:
    if not found.is_valid():
        name, problems = next(iter(found.errors.items()))
        raise ConfigError(f"{name}: {problems[0]}")
    try:
        rows: QuerySet[Any] = found.qs
    except ValidationError as error:
        raise ConfigError("; ".join(error.messages)) from error
    return rows
