"""With very much stored, every list, tree and comparison takes a fixed number of queries, and each finds its rows.

How long they take is measured by ``make bench ARGS="--only scale"``.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from bench.scale_data import BRANDS, Filled
from detect.models import SourceAsset
from jobs.models import DetectJob
from tests.scale.conftest import SCALE

pytestmark = pytest.mark.django_db


def ask(client: Any, address: str, *, queries: int) -> Any:
    """The answer, after ``queries`` queries beside those that find out who asks."""
    with CaptureQueriesContext(connection) as seen:
        answer = client.get(address)
    assert answer.status_code == 200, answer.content[:500]
    own = [query["sql"] for query in seen if "apikey" not in query["sql"]]
    assert len(own) == queries, own
    return answer.json()


class TestJobs:
    @pytest.mark.parametrize("limit", [1, 50, 500])
    def test_a_page(self, used: Filled, viewer: Any, limit: int) -> None:
        page = ask(viewer, f"/detect/jobs?limit={limit}", queries=2)
        assert page["total"] == SCALE.jobs
        assert len(page["jobs"]) == limit

    def test_the_last_page(self, used: Filled, viewer: Any) -> None:
        page = ask(viewer, f"/detect/jobs?limit=50&offset={SCALE.jobs - 30}", queries=2)
        assert len(page["jobs"]) == 30
        oldest = DetectJob.objects.order_by("created_at", "id").values_list("id", flat=True).first()
        assert page["jobs"][-1]["id"] == str(oldest)

    def test_behind_the_last_page(self, used: Filled, viewer: Any) -> None:
        assert ask(viewer, f"/detect/jobs?offset={SCALE.jobs}", queries=1) == {"jobs": [], "total": SCALE.jobs}

    @pytest.mark.parametrize(
        ("wanted", "count"),
        [
            ("status=failed", 1225),
            ("status=failed&status=cancelled", 2450),
            ("run_type=initial", 7841),
            ("profile=motorsport", 3266),
            ("tag=season-3", 817),
            ("tag=tuning&parent={root}", 20),
            ("asset={asset}", 202),
            ("search=match-77.mp4", 2),
            ("search=tuning", 201),
            ("search=nothing+like+it", 0),
            ("created_after=2100-01-01T00:00:00Z", 0),
            ("created_before=2100-01-01T00:00:00Z", 10_000),
            ("pipeline=faces", 0),
        ],
    )
    def test_each_filter(self, used: Filled, viewer: Any, wanted: str, count: int) -> None:
        address = "/detect/jobs?limit=20&" + wanted.format(root=used.root, asset=used.asset)
        page = ask(viewer, address, queries=2 if count else 1)
        assert page["total"] == count
        assert len(page["jobs"]) == min(20, count)

    @pytest.mark.parametrize("brand", ["Brand 7", "BRAND7"])
    def test_by_a_brand_that_was_seen_in_the_video(self, used: Filled, viewer: Any, brand: str) -> None:
        page = ask(viewer, f"/detect/jobs?limit=20&brand={brand}", queries=3)
        assert page["total"] == SCALE.jobs, "every brand is in every video here"

    def test_by_an_unknown_brand(self, used: Filled, viewer: Any) -> None:
        assert ask(viewer, "/detect/jobs?brand=nobody", queries=1)["total"] == 0

    @pytest.mark.parametrize("order", ["created_at", "-priority", "status", "-brands_found"])
    def test_any_order_goes_through_all_of_them_once(self, used: Filled, viewer: Any, order: str) -> None:
        seen: list[str] = []
        for offset in range(0, 2000, 500):
            page = ask(viewer, f"/detect/jobs?ordering={order}&limit=500&offset={offset}", queries=2)
            seen += [job["id"] for job in page["jobs"]]
        assert len(set(seen)) == len(seen) == 2000

    @pytest.mark.parametrize("wrong", ["status=odd", "asset=1", "created_after=yesterday", "ordering=secret"])
    def test_what_makes_no_sense_is_refused(self, used: Filled, viewer: Any, wrong: str) -> None:
        assert viewer.get(f"/detect/jobs?{wrong}").status_code == 400


class TestTree:
    def test_the_whole_tree(self, used: Filled, viewer: Any) -> None:
        tree = ask(viewer, f"/detect/jobs/{used.branch}/tree", queries=3)
        assert len(tree["jobs"]) == SCALE.branches + 1
        assert len(tree["nodes"]) == 9 + 4 * SCALE.branches
        assert tree["root_id"] == str(used.root)
        seen: set[object] = {None}
        for node in tree["nodes"]:
            assert node["parent_id"] in seen
            seen.add(node["id"])

    def test_a_job_by_itself_takes_as_many(self, used: Filled, viewer: Any) -> None:
        alone = DetectJob.objects.filter(parent_job=None).exclude(id=used.root).first()
        assert alone is not None
        assert ask(viewer, f"/detect/jobs/{alone.id}/tree", queries=3)["nodes"] == []


class TestCompare:
    def test_two_long_reports(self, used: Filled, viewer: Any) -> None:
        found = ask(viewer, f"/detect/compare?left={used.root}&right={used.branch}", queries=9)
        assert len(found["moved"]) == SCALE.brands * SCALE.exposures
        assert (found["gained"], found["lost"], found["renamed"]) == ([], [], [])

    def test_one_with_itself(self, used: Filled, viewer: Any) -> None:
        found = ask(viewer, f"/detect/compare?left={used.root}&right={used.root}", queries=9)
        assert found["moved"] == []


class TestSightings:
    @pytest.mark.parametrize(
        ("wanted", "queries"),
        [
            ("", 1),
            ("last=true", 1),
            ("source=manual", 1),
            ("source=manual&last=true", 1),
            ("brand=Brand+7", 2),
            ("brand=Brand+7&last=true", 2),
            ("brand=Brand+7&source=logo", 2),
            ("asset={asset}", 1),
            ("asset={asset}&brand=brand+7", 2),
            ("asset={asset}&source=manual&last=true", 1),
        ],
    )
    def test_pages(self, used: Filled, viewer: Any, wanted: str, queries: int) -> None:
        for limit in (1, 100):
            address = f"/detect/sightings?limit={limit}&" + wanted.format(asset=used.asset)
            page = ask(viewer, address, queries=queries)
            assert 0 < len(page["sightings"]) <= limit
            if "brand" in wanted:
                assert {one["brand_name"] for one in page["sightings"]} <= {"Brand 7"}
            if "asset" in wanted:
                assert {one["source_asset_id"] for one in page["sightings"]} == {str(used.asset)}

    def test_a_page_in_the_middle(self, used: Filled, viewer: Any) -> None:
        """All brands of one asset, in pages: each once, and the same on the way back."""
        address = f"/detect/sightings?asset={used.asset}&limit=30"
        page = ask(viewer, address, queries=1)
        pages = [page]
        while page["next"]:
            page = ask(viewer, f"{address}&cursor={page['next']}", queries=1)
            pages.append(page)
        seen = [one["id"] for page in pages for one in page["sightings"]]
        assert len(seen) == len(set(seen)) == BRANDS
        back = [pages[-1]]
        while back[-1]["previous"]:
            back.append(ask(viewer, f"{address}&cursor={back[-1]['previous']}", queries=1))
        assert [one["id"] for page in reversed(back) for one in page["sightings"]] == seen
        moments = [one["created_at"] for page in pages for one in page["sightings"]]
        assert moments == sorted(moments, reverse=True)

    def test_the_last_page_leads_back(self, used: Filled, viewer: Any) -> None:
        last = ask(viewer, "/detect/sightings?limit=5&last=true", queries=1)
        assert last["next"] is None
        before = ask(viewer, f"/detect/sightings?limit=5&cursor={last['previous']}", queries=1)
        assert (
            ask(viewer, f"/detect/sightings?limit=5&cursor={before['next']}", queries=1)["sightings"]
            == last["sightings"]
        )

    def test_an_unknown_brand_or_video_has_none(self, used: Filled, viewer: Any) -> None:
        nothing: dict[str, Any] = {"sightings": [], "next": None, "previous": None}
        assert ask(viewer, "/detect/sightings?brand=nobody", queries=1) == nothing
        assert ask(viewer, f"/detect/sightings?asset={used.root}", queries=1) == nothing
        assert SourceAsset.objects.count() == SCALE.assets

    @pytest.mark.parametrize(
        "wrong",
        ["cursor=nonsense", "cursor=WzEsMiwzXQ==", "source=odd", "asset=1", "limit=0", "limit=501", "brand=%00"],
    )
    def test_what_makes_no_sense_is_refused(self, used: Filled, viewer: Any, wrong: str) -> None:
        answer = viewer.get(f"/detect/sightings?{wrong}")
        assert answer.status_code == 400
        assert answer.json()["detail"]
