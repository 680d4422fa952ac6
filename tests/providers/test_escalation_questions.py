"""What escalate_vlm asks about, in which order and how often."""

from __future__ import annotations

from detect.options import convert_options
from detect.types import Box, Observation
from tests.providers.chat_server import chat_server, verdict
from tests.providers.escalating import STAGE, ask_stage, given
from tests.providers.made import DrawnFrames, candidate, context, provider, resources


class TestQuestions:
    def test_show_the_crop_and_name_what_it_resembles(self) -> None:
        with chat_server(lambda ask: verdict("Acme")) as server:
            ask_stage(resources([provider(server.base_url)]), [candidate("ACNE")])
        [ask] = server.asks
        assert '"ACNE"' in ask.prompt
        assert '"Acme"' in ask.prompt
        assert "Bolt" not in ask.prompt  # known, and not like it
        assert ask.images[0].startswith(b"\xff\xd8\xff")

    def test_show_other_moments_when_asked_to(self) -> None:
        frames = DrawnFrames()
        with chat_server(lambda ask: verdict("Acme")) as server:
            options = convert_options(STAGE, {"crops_per_question": 3})
            shared = resources([provider(server.base_url)])
            STAGE.run(context(options, shared, frames=frames), given([candidate("ACNE", sequence=100, frames=9)]))
        assert len(server.asks[0].images) == 3
        assert frames.loaded == [100, 103, 107]

    def test_show_what_is_on_a_frame_twice(self) -> None:
        """Two boards with one text: a candidate has both, frame by frame."""
        boxes = [Box(30, 70, 240, 110), Box(30, 170, 240, 210)]
        seen = [Observation(sequence, box, 0.9) for sequence in range(100, 104) for box in boxes]
        made = candidate("ACNE", sequence=100, observations=seen)
        with chat_server(lambda ask: verdict("Acme")) as server:
            ask_stage(resources([provider(server.base_url)]), [made], crops_per_question=2)
        assert len(server.asks[0].images) == 2

    def test_are_no_more_pictures_than_there_are_moments(self) -> None:
        with chat_server(lambda ask: verdict("Acme")) as server:
            ask_stage(resources([provider(server.base_url)]), [candidate("A", frames=1)], crops_per_question=4)
        assert len(server.asks[0].images) == 1

    def test_are_asked_once_for_candidates_that_are_the_same(self) -> None:
        made = [candidate("ACNE", candidate_id=f"id-{n}", sequence=7, frames=n) for n in (2, 5, 3)]
        with chat_server(lambda ask: verdict("Acme")) as server:
            output = ask_stage(resources([provider(server.base_url)]), made)
        assert len(server.asks) == 1
        assert [one.observations for one in output.detections] == [one.observations for one in made]
        assert len(output.calls) == 1
        assert output.stats["distinct"] == 1

    def test_are_asked_for_each_look_of_the_same_text(self) -> None:
        made = [candidate("A", candidate_id=f"id-{n}", sequence=n) for n in (3, 777)]
        with chat_server(lambda ask: verdict("Acme")) as server:
            ask_stage(resources([provider(server.base_url)]), made, same_picture_bits=0)
        assert len(server.asks) == 2

    def test_come_in_the_order_of_what_is_at_stake(self) -> None:
        made = [candidate("FEW", frames=2), candidate("MOST", frames=9), candidate("MORE", frames=4)]
        with chat_server(lambda ask: verdict("Acme")) as server:
            output = ask_stage(resources([provider(server.base_url)]), made, max_questions=2)
        assert [ask.read_text for ask in server.asks] == ["MOST", "MORE"]
        assert [one.reason for one in output.unresolved] == ["no known name is like it; not asked, max_questions is 2"]

    def test_are_not_wasted_on_what_was_hardly_seen(self) -> None:
        with chat_server(lambda ask: verdict("Acme")) as server:
            made = [candidate("BRIEF", frames=2), candidate("LONG", frames=3)]
            output = ask_stage(resources([provider(server.base_url)]), made, min_frames=3)
        assert [ask.read_text for ask in server.asks] == ["LONG"]
        assert output.unresolved[0].reason.endswith("not asked, seen on fewer than 3 sampled frames")

    def test_are_asked_anew_once_for_each_number(self) -> None:
        with chat_server(lambda ask: verdict("Acme")) as server:
            shared = resources([provider(server.base_url)])
            for nonce in (0, 0, 1, 1, 2):
                ask_stage(shared, [candidate("ACNE")], ask_again=nonce)
        assert len(server.asks) == 3
