"""The tree of errors.

    PlacetError
    ├── OperatorError       loud, numbered, at start-up: the operator must mend something
    │   ├── PolicyError     P001…  the policy file asks for something wrong
    │   ├── SetupError      S001…  a secret, a file or a directory is not as it must be
    │   ├── OfficerError    O001…  a command of the officer's cannot be carried out, or the answer is no
    │   └── AuditError      A001…  a site cannot be audited: no browser, no page, no evidence
    ├── UnknownName         the application asked about a purpose or feature the policy does not have
    ├── LedgerDown          the ledger could not make a record durable now; nothing was recorded
    ├── Forked              the log is not the one that was signed; nothing is signed any more
    └── in placet.ledger
        ├── store.Conflict          an event id came again with other bytes
        ├── tree.ProofError         a proof does not show what it claims
        ├── tiles.TileError         a tile or a bundle is missing, or not what its path says
        ├── note.NoteError          a key, a note, a checkpoint or a proof is malformed or not signed
        ├── published.Unreadable    a published file could not be had
        ├── post.NoAnswer           a witness or an authority did not answer
        ├── witness.NotCosigned     a witness did not cosign a checkpoint
        └── timestamp.TimestampError    a time stamp is of something else, or not by who it should be

The visitor's bytes never raise: what cannot be read is *unasked*, and refused.
"""


class PlacetError(Exception):
    """Whatever Placet raises."""


class OperatorError(PlacetError):
    """Something the operator must mend; the message carries its number, where it is and what to do."""


class PolicyError(OperatorError):
    """The policy file has problems; `problems` lists every one of them, so that one run shows all."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SetupError(OperatorError):
    """A secret, a file or a directory is not as it must be."""


class OfficerError(OperatorError):
    """A command of the officer's cannot be carried out, or the answer is no; `status` is how it exits."""

    def __init__(self, message: str, status: int = 3) -> None:
        super().__init__(message)
        self.status = status


class AuditError(OperatorError):
    """A site cannot be audited: there is no browser, no page, or no evidence that can be read."""


class UnknownName(PlacetError, KeyError):
    """The application asked about a purpose or a feature that the policy file does not have."""

    def __str__(self) -> str:
        return str(self.args[0])


class LedgerDown(PlacetError):
    """The ledger could not make a record durable now; nothing was recorded."""


class Forked(PlacetError):
    """The log is not the one that was signed: another root or fewer leaves; nothing is signed any more."""
