"""``manage.py demo``: what this software does, shown on a match it makes up itself."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management import call_command
from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from jobs.models import DetectJob
from mediaproc import env, site
from mediaproc.demo_login import Login, demo_login
from mediaproc.management.commands.serve import add_address_arguments
from mediaproc.sample import Sample, sample_match
from mediaproc.services import prepare


class Command(BaseCommand):
    help = "Render a sample match with invented brands, analyse it, and leave the site running."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_address_arguments(parser)
        parser.add_argument("--once", action="store_true", help="end after the table, without the site")

    def handle(self, *args: Any, **options: Any) -> None:
        prepare(queue=True)
        sample = self._sample()
        out = env.DATA.root / "demo/report"
        logos = [f"--logo={name}={path}" for name, path in sample.logos.items()]
        call_command("analyze", str(sample.video), "--brands", str(sample.brands), "--out", str(out), *logos)
        login = demo_login(env.DATA)
        if options["once"]:
            self._say(login)
            self.stdout.write("  `make demo` without --once leaves the site running.")
            return
        with site.listen(options["host"], options["port"]) as listener:
            address = site.address_of(listener)
            self._say(login, address, report=f"{address}jobs/{_latest_job(sample)}")
            self.stdout.flush()
            site.serve(listener)
        self.stdout.write("Stopped.")

    def _say(self, login: Login, address: str = "", report: str = "") -> None:
        lines = {
            "Site": address,
            "Report": report,
            "Login": f"{login.user} / {login.password}",
            "API key": login.api_key,
        }
        self.stdout.write("")
        for name, value in lines.items():
            if value:
                self.stdout.write(f"  {name + ':':<9}{value}")
        if address:
            self.stdout.write("  Ctrl-C stops it and every server it started.")

    @staticmethod
    def _sample() -> Sample:
        console = Console(stderr=True)
        columns = (TextColumn("rendering a sample match"), BarColumn(bar_width=30), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
            task = progress.add_task("", visible=False)
            return sample_match(
                env.DATA.root / "demo",
                lambda done, total: progress.update(task, completed=done, total=total, visible=True),
            )


def _latest_job(sample: Sample) -> UUID:
    return DetectJob.objects.filter(video_path=str(sample.video.resolve())).latest("created_at").id
