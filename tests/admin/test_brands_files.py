"""Reference pictures and lists of brands, as files that people send and fetch."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from brands.actions import AddLogo, Merge, decide
from brands.exchange import MOST_BYTES, WaitingLists
from brands.logo_pictures import MOST_BYTES as MOST_PICTURE_BYTES
from brands.logo_trials import Finished, LogoTrial, TriedFrame
from brands.models import BrandLogo, Decision, KnownBrand
from detect.engines.logos import LogoMatch
from detect.types import Box
from mediaproc.roles import Role
from tests.admin.brandpages import LIST, change, page, sent, text_of
from tests.brands.known import HOSTILE, facts, known, waiting
from tests.brands.test_logos import picture
from tests.matches import asset, job
from tests.review.material import CLEO

__all__ = ["asset", "job"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]

IMPORT, CONFIRM, EXPORT = f"{LIST}import/", f"{LIST}process_import/", f"{LIST}export/"


class TestPictures:
    def upload(self, browser: Client, brand: KnownBrand, *files: tuple[str, bytes]) -> str:
        sending = [SimpleUploadedFile(name, content) for name, content in files]
        return sent(browser.post(f"{LIST}{brand.id}/pictures/", {"pictures": sending}, follow=True))

    def test_several_at_once_each_a_decision_to_undo(self, curator: Client):
        brand = known("Velmora")
        told = self.upload(
            curator, brand, ("a.png", picture()), ("b.JPG", picture("JPEG")), ("c.webp", picture("WEBP"))
        )
        assert told.count("Velmora: reference picture added. Undo") == 3
        assert {logo.image.name.rpartition(".")[2] for logo in BrandLogo.objects.all()} == {"png", "jpg", "webp"}
        assert page(curator, change(brand)).count("/brands/pictures/") == 3

    def test_what_is_no_picture_is_said_and_the_others_are_taken(self, curator: Client):
        brand = known("Velmora")
        files = ("<b>.svg", b"<svg/>"), ("a.gif", picture("GIF")), ("ok.png", picture()), ("again.png", picture())
        told = self.upload(curator, brand, *files)
        for part in ("<b>.svg: this is no picture", "a.gif: this is a GIF", "Velmora has this picture already"):
            assert part in told
        assert BrandLogo.objects.count() == 1

    def test_nothing_and_too_much(self, curator: Client):
        brand = known("Velmora")
        assert "Choose a picture first." in self.upload(curator, brand)
        heavy = self.upload(curator, brand, ("a.png", picture() + b"\0" * MOST_PICTURE_BYTES))
        assert "a.png: it is larger than 8 MB" in heavy

    def test_taken_away_and_back(self, curator: Client):
        brand = known("Velmora")
        decide(AddLogo(brand.id, picture(), ".png"), by=CLEO)
        before = facts()
        address = f"{LIST}pictures/{BrandLogo.objects.get().id}/remove/"
        assert "reference picture removed. Undo" in sent(curator.post(address, follow=True))
        assert not BrandLogo.objects.exists()
        curator.post(f"{LIST}undo/{Decision.objects.latest('id').id}/")
        assert facts() == before

    def test_addresses_are_not_followed_by_chance(self, curator: Client):
        brand = known("Velmora")
        decide(AddLogo(brand.id, picture(), ".png"), by=CLEO)
        assert curator.get(f"{LIST}{brand.id}/pictures/").status_code == 405
        assert curator.get(f"{LIST}pictures/{BrandLogo.objects.get().id}/remove/").status_code == 405
        assert curator.post(f"{LIST}pictures/999/remove/").status_code == 404
        assert curator.get(f"{LIST}pictures/999/try/").status_code == 404


class TestTrying:
    @pytest.fixture
    def logo(self) -> BrandLogo:
        decide(AddLogo(known("Velmora").id, picture(), ".png"), by=CLEO)
        return BrandLogo.objects.get()

    def address(self, logo: BrandLogo, query: str = "run=1") -> str:
        return f"{LIST}pictures/{logo.id}/try/?{query}"

    def test_without_a_finished_job(self, curator: Client, logo):
        assert "There is no finished job to try it on yet." in text_of(page(curator, self.address(logo)))

    def shown(self, curator: Client, logo: BrandLogo, job: Any, monkeypatch, *found: float, gone: int = 0) -> str:
        finished = Finished(checkpoint=job.id, job_id=job.id, asset=job.source_asset)
        quad = ((10, 20), (60, 20), (60, 40), (10, 40))
        frames = [
            TriedFrame(
                finished,
                number,
                number / 2,
                640,
                360,
                0.6,
                [LogoMatch("", quad, Box(10, 20, 60, 40), score, 9, 0.8, 0)] if score else [],
            )
            for number, score in enumerate(found)
        ]
        monkeypatch.setattr("brands.admin.trying.finished_jobs", lambda: [finished])
        monkeypatch.setattr("brands.admin.trying.logo_try", lambda logo, jobs: LogoTrial(frames, gone, weak=False))
        return page(curator, self.address(logo))

    def test_where_it_was_found_and_how_surely(self, curator: Client, logo, job, monkeypatch):
        content = self.shown(curator, logo, job, monkeypatch, 0.93, 0.31, 0.0)
        told = text_of(content)
        assert "Found on 1 of 3 frames" in told
        assert "(60%)" in told
        assert "Less surely on 1 more." in told
        assert "93%" in told
        assert "31% (too unsure)" in told
        assert content.count('points="10,20 60,20 60,40 10,40"') == 2
        assert f"/jobs/{job.id}/frames/0.jpg" in content

    def test_what_is_not_found_is_said_plainly(self, curator: Client, logo, job, monkeypatch):
        assert "Not found on any of 2 frames." in text_of(self.shown(curator, logo, job, monkeypatch, 0.0, 0.0))
        assert "Not found surely enough." in text_of(self.shown(curator, logo, job, monkeypatch, 0.3))

    def test_frames_that_are_gone(self, curator: Client, logo, job, monkeypatch):
        told = text_of(self.shown(curator, logo, job, monkeypatch, gone=12))
        assert "There was no frame to look at." in told
        assert "12 frames could not be looked at: no longer stored." in told

    def test_on_a_job_that_is_chosen(self, curator: Client, logo, job, monkeypatch):
        asked: list[Any] = []
        others = [Finished(checkpoint=job.id, job_id=key, asset=job.source_asset) for key in (logo.brand_id, job.id)]
        monkeypatch.setattr("brands.admin.trying.finished_jobs", lambda: others)

        def tried(logo: BrandLogo, jobs: Any) -> LogoTrial:
            asked.append(jobs)
            return LogoTrial([], 0, weak=False)

        monkeypatch.setattr("brands.admin.trying.logo_try", tried)
        page(curator, self.address(logo, f"run=1&job={job.id}"))
        page(curator, self.address(logo, "run=1&job=odd"))
        assert asked == [[others[1]], others]

    def test_a_picture_that_is_gone(self, curator: Client, logo, job):
        logo.image.storage.delete(logo.image.name)
        assert "cannot be read" in text_of(page(curator, self.address(logo)))


CSV = "name,aliases,confirmed,merged_into\nVelmora,VLM,yes,\nHexalon,HXL,yes,\n<b>Nordica</b>,,no,\n"


class TestImport:
    def look(self, browser: Client, content: str | bytes, *, kind: int = 0, name: str = "list.csv") -> Any:
        body = content.encode() if isinstance(content, str) else content
        file = SimpleUploadedFile(name, body)
        answer = browser.post(IMPORT, {"import_file": file, "format": str(kind), "resource": "0"})
        assert answer.status_code == 200
        return answer

    def confirm(self, browser: Client, looked: Any, **changes: str) -> Any:
        wanted = {field.name: field.value() for field in looked.context["confirm_form"]}
        return browser.post(CONFIRM, {**wanted, **changes}, follow=True)

    def test_it_is_shown_first_and_made_as_one_decision(self, curator: Client):
        known("Hexalon")
        looked = self.look(curator, CSV)
        shown = sent(looked)
        for part in ("2 brands to be added, 1 to be changed", "line 3 Hexalon changed alias HXL", "<b>Nordica</b> new"):
            assert part in shown
        assert not Decision.objects.exists()
        told = sent(self.confirm(curator, looked))
        assert "Brands imported from list.csv: 2 new, 1 changed. Undo" in told
        assert Decision.objects.get().by == "user:curator"
        assert KnownBrand.objects.count() == 3

    def test_json(self, curator: Client):
        content = json.dumps([{"name": "Velmora", "aliases": ["VLM"], "confirmed": True}])
        self.confirm(curator, self.look(curator, content, kind=1, name="list.json"))
        assert KnownBrand.objects.get().alias_texts == ["VLM"]

    def test_again_there_is_nothing_to_import(self, curator: Client):
        self.confirm(curator, self.look(curator, CSV))
        looked = self.look(curator, CSV)
        assert "Everything in this list is so already" in sent(looked)
        assert CONFIRM not in looked.content.decode()

    def test_rows_in_conflict_are_marked_and_nothing_can_be_confirmed(self, curator: Client):
        known("Hexalon")
        looked = self.look(curator, "name,aliases\nVelmora,Hexalon\n!!!\nNordica\n")
        shown = sent(looked)
        for part in (
            "Nothing was imported.",
            "line 2 Velmora conflict 'Hexalon' is Hexalon already",
            "line 3 !!! conflict",
        ):
            assert part in shown
        assert "confirm_form" not in looked.context
        assert KnownBrand.objects.count() == 1

    @pytest.mark.parametrize(
        ("content", "kind", "told"),
        [
            (b"", 0, "The submitted file is empty."),
            (b"\n\n", 0, "No valid data to import"),
            (b"name,aliases,confirmed\nVelmora,,perhaps\n", 0, "Line 2: 'confirmed' is 'perhaps': write yes or no."),
            (b"\xff\xfe\x00\x81", 0, "The file is no text in UTF-8"),
            (b"{", 1, "This is no JSON"),
            (b"[]", 1, "No valid data to import"),
            (b"name\nVelmora\n", 7, "Select a valid choice"),
            (b"a" * (MOST_BYTES + 1), 0, "The file is too large: at most 10 MB are taken."),
        ],
        ids=["empty", "blank", "cell", "bytes", "json", "nothing", "format", "large"],
    )
    def test_a_file_that_cannot_be_used_is_an_error_of_the_form(self, curator: Client, content, kind, told):
        assert told in sent(self.look(curator, content, kind=kind))

    def test_confirmed_twice_the_second_time_asks_for_the_list_again(self, curator: Client):
        looked = self.look(curator, CSV)
        self.confirm(curator, looked)
        assert "This list is not here any more: upload it again." in sent(self.confirm(curator, looked))
        assert Decision.objects.count() == 1

    @pytest.mark.parametrize(
        "changes",
        [{"format": "9"}, {"format": "x"}, {"import_file_name": "gone"}, {"import_file_name": "../../secret_key"}],
        ids=["format", "no number", "gone", "elsewhere"],
    )
    def test_a_form_that_was_tampered_with(self, curator: Client, changes):
        looked = self.look(curator, CSV)
        assert "upload it again" in sent(self.confirm(curator, looked, **changes))
        assert not Decision.objects.exists()

    def test_what_was_decided_since_it_was_shown_is_looked_at_again(self, curator: Client):
        looked = self.look(curator, "name,aliases\nVelmora,VLM\n")
        known("Hexalon", "VLM")
        told = sent(self.confirm(curator, looked))
        assert "rows are in conflict now: look again." in told
        assert not Decision.objects.exists()

    def test_what_was_brought_in_since_it_was_shown(self, curator: Client):
        looked = self.look(curator, CSV)
        self.confirm(curator, self.look(curator, CSV))
        assert "nothing to change" in sent(self.confirm(curator, looked))

    def test_hostile_names_are_only_names(self, curator: Client):
        table = io.StringIO()
        csv.writer(table).writerows([("name", "aliases"), *((name, f"{name[:290]} x") for name in HOSTILE.values())])
        looked = self.look(curator, table.getvalue())
        assert "<script>alert" not in looked.content.decode()
        assert set(HOSTILE.values()) <= set(looked_names(looked))
        self.confirm(curator, looked)
        assert set(KnownBrand.objects.values_list("canonical_name", flat=True)) == set(HOSTILE.values())

    def test_waiting_lists_are_removed_once_they_are_in(self, curator: Client):
        looked = self.look(curator, CSV)
        waits = WaitingLists(name=looked.context["confirm_form"]["import_file_name"].value())
        assert waits.read() == CSV.encode()
        self.confirm(curator, looked)
        with pytest.raises(FileNotFoundError):
            waits.read()


class TestExport:
    def fetch(self, browser: Client, kind: int, query: str = "") -> Any:
        answer = browser.post(f"{EXPORT}{query}", {"format": str(kind), "resource": "0"})
        assert answer.status_code == 200
        return answer

    def test_all_with_what_was_merged_into_them(self, curator: Client):
        brand = known("Velmora", "VLM")
        decide(Merge((known("Vel Mora Air", "VMA").id,), brand.id), by=CLEO)
        waiting("=Nordica")
        answer = self.fetch(curator, 0)
        assert answer["Content-Type"] == "text/csv"
        assert list(csv.reader(io.StringIO(answer.content.decode(), newline=""))) == [
            ["name", "aliases", "confirmed", "merged_into"],
            ["'=Nordica", "", "no", ""],
            ["Vel Mora Air", "VMA", "yes", "Velmora"],
            ["Velmora", "VLM", "yes", ""],
        ]
        assert {row["name"] for row in json.loads(self.fetch(curator, 1).content)} == {
            "=Nordica",
            "Vel Mora Air",
            "Velmora",
        }

    def test_what_the_list_is_filtered_to(self, curator: Client):
        brand = known("Velmora")
        decide(Merge((known("Vel Mora Air").id,), brand.id), by=CLEO)
        waiting("Nordica")
        known("Hexalon")
        names = [row["name"] for row in json.loads(self.fetch(curator, 1, "?state=confirmed&q=vel").content)]
        assert names == ["Vel Mora Air", "Velmora"]

    def test_of_nothing(self, curator: Client):
        assert self.fetch(curator, 0).content.decode().strip() == "name,aliases,confirmed,merged_into"


@pytest.mark.parametrize("address", [IMPORT, EXPORT, CONFIRM])
def test_smaller_roles_are_not_let_in(client_of, address):
    assert client_of(Role.REVIEWER).post(address).status_code == 403


def looked_names(looked: Any) -> list[str]:
    return [row.row.name for row in looked.context["result"].plan.rows]
