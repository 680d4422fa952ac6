"""The tree of what was tried: where replays branch off, what they would cost, how their results compare."""
