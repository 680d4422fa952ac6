"""Drawing into video: planes and colours (`canvas`), lettering (`typeset`, `labels`), what is shown (`overlays`)."""
