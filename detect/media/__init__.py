"""Reading video: what a file holds (`probe`), and its frames at exact times (`VideoReader`)."""

from detect.media.probe import Probe, probe
from detect.media.reader import Sampled, VideoReader

__all__ = ["Probe", "Sampled", "VideoReader", "probe"]
