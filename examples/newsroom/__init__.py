"""« Le Courrier du Val », a news site as one of our users would write it: with care, except for trackers.

`site.build` is the bare application; `thirdparties.build` is the little world of advertisers around it;
`python -m newsroom` starts both, with Placet in front of the site unless `PLACET=off`.
"""
