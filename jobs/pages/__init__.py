"""Pages for people: asking for jobs, watching and steering them, their reports, what was tried and what differs.

They hold no rules: what is sent goes to the services that REST and the commands call too, and what goes wrong there is
shown as a message. Who may open which is in ``mediaproc/access.py``. Every page works without scripts but for uploads
and for trying settings on frames; with them (``static/js``) it is live.

=============== ======================================================================================================
home.py         the first page: what is under way, what waits, what was found; before that, how to begin
listing.py      the list of jobs
submit.py       a new analysis; brand_text.py and options.py read what is typed
views.py        a job's page: its report, or progress.py until there is one
evidence.py     exposures, candidates and changes as they are asked for; downloads.py files and the page for paper
actions.py      buttons
tree.py         the tree of checkpoints (tree_drawing.py), replays with their estimate, bookmarks
compare.py      two results side by side
accept.py       choosing the result that counts for a video
updates.py      results that decisions made outdated, what changes in each
scenarios.py    bookmarked checkpoints
tune.py         trying a stage's settings on frames, beside what the job has
profiles.py     saving what was tried as a profile; the profiles there are
pictures.py     frames, crops and small frames
video.py        the video by ranges, and what its player is told; boxes.py what is drawn over it
=============== ======================================================================================================
"""
