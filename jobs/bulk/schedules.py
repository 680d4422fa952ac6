"""When work that can wait may start."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta


@dataclass(frozen=True)
class Schedule:
    """When replays may start: from ``start`` on, or every day between two times (UTC), over midnight too."""

    start: datetime | None = None
    window: tuple[time, time] | None = None

    def opens(self, now: datetime) -> datetime:
        """The next moment at which a replay may start: ``now`` itself, or a later one."""
        if self.window is None:
            return now if self.start is None else max(now, self.start)
        first, last = self.window
        at = now.timetz().replace(tzinfo=None)
        inside = first <= at < last if first < last else at >= first or at < last
        if inside:
            return now
        opening = datetime.combine(now.date(), first, tzinfo=now.tzinfo)
        return opening if opening > now else opening + timedelta(days=1)
