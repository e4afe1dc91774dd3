"""What an audit came to, shown: for a person, for a build, and for the next audit.

    document    all that a report says, as data: report.json
    page        one HTML file that an officer can read, print and sign
    terminal    the same in a terminal, and how far the audit is
    sarif       for a forge's list of problems
    junit       for a build's list of tests
    compare     what has changed since another report
    draft       what was seen, in the shape from which a policy file is proposed
    shown       texts that came from a page, made harmless before anybody reads them

Pure: files are handed in and out as bytes by whoever calls.
"""
