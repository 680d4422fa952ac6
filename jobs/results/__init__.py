"""Which result of a video counts, and bringing it up to date with what people decided since.

=========== =======================================================================================================
accepted.py the result that counts for a video, and bringing what it shows before people
concerns.py decisions that concern a result which came to count after them
updates.py  results that decisions made outdated, and the replays that bring them up to date
stakes.py   what those decisions are about in each video
totals.py   totals over the accepted results of all videos
=========== =======================================================================================================
"""
