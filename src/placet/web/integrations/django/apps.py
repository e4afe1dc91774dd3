"""The application that `INSTALLED_APPS` names."""

from __future__ import annotations

from django.apps import AppConfig


class PlacetConfig(AppConfig):
    """Placet's templates tags, its command and its checks."""

    name = "placet.web.integrations.django"
    label = "placet"
    verbose_name = "Placet"

    def ready(self) -> None:
        """Register the checks."""
        from . import checks  # noqa: F401 - importing is registering
