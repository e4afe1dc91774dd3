"""What the operator's commands do: begin a policy file, judge it, and say what would happen under it.

    places      on which line of a policy file each key is
    problems    what is wrong in it, each with its line
    warnings    what an inspector would object to: W001 and on
    shown       the notice and the cookie policy as plain text
    beginning   a first policy file, from a few answers
    drafts      a policy file proposed from what was observed
    audited     the same from an audit, which saw the site from outside
    explaining  what would happen to a page, a cookie or a host, and why

The command line parses and prints; what is decided is decided here.
"""
