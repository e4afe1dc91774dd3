"""What the officer, who answers for data protection, asks of a ledger; the command line prints it.

    given      what is written on a command line, read: a receipt's number, a time, a key
    files      files that are handed in or out
    office     one site's store, spool and public keys, found by its policy file
    records    what the records of choices say, in words
    examine    a proof to keep, checked step by step            placet receipt verify
    whole      a whole log, checked                             placet ledger verify
    proofs     one entry's proof                                placet ledger prove
    evidence   what was shown at a time, in one archive         placet evidence
    archive    that archive: what explains and checks it, and its bytes
    export     the records of a time, for a spreadsheet         placet export
    erasure    records and their salts, gone                    placet erase
    retention  what is kept for long enough, gone               placet retention run
    moving     the log, to another store                        placet ledger migrate

A problem is an `OfficerError` with a number, O001 and on, and a status: 1 where the answer is no, 2 where
there is none to be had, 3 where something has to be mended first. Nothing here prints or reads a clock.
"""
