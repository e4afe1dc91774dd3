"""Django: an application, a middleware (sync and async), template tags, system checks, `manage.py placet`.

INSTALLED_APPS = [..., "placet.web.integrations.django"]
MIDDLEWARE = ["placet.web.integrations.django.middleware.ConsentMiddleware", ...]   # the first
PLACET_POLICY = BASE_DIR / "placet.toml"                                           # the default
PLACET_ON_WITHDRAWAL = {"profiles": "shop.privacy.forget"}                         # optional
"""
