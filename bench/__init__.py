"""Measures what Placet costs, always beside something else in the same run.

python -m bench                 everything, with the targets
python -m bench page answer     some parts
python -m bench --profile       where the time of a page goes
"""

import logging
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The newspaper that is measured, and what is installed for the bench alone, so that tests run without it.
sys.path[:0] = [str(ROOT / "examples")]
sys.path += [str(ROOT / ".venv" / "bench")]
# The newspaper is careless on purpose: that it is found out again in each process is no news here.
logging.getLogger("placet.undeclared").setLevel(logging.ERROR)
