"""`manage.py placet …`: the `placet` command, with the project's policy file."""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import REMAINDER, ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from placet.web.integrations.django.settings import policy_path


class Command(BaseCommand):
    """Runs `placet` in a process of its own, whose output and exit code it passes on."""

    help = "Run the placet command with this project's policy file."
    requires_system_checks = ()  # the command explains a broken policy file better

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take everything as it is."""
        parser.add_argument("words", nargs=REMAINDER)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it; exits with its code."""
        environment = {**os.environ, "PLACET_POLICY": str(policy_path())}
        command = [sys.executable, "-m", "placet", *options["words"]]
        done = subprocess.run(command, env=environment, check=False)  # noqa: S603 - what the operator typed
        if done.returncode:
            sys.exit(done.returncode)
