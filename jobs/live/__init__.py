"""Jobs as they go on, for whoever listens: nudges, followers of the numbered events, websockets."""
