# Two commands matter: `make demo` and `make test`. Each does its own set-up.
SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
CHROMIUM := /usr/bin/chromium
WRK := /usr/bin/wrk
OPENSSL := /usr/bin/openssl
NGINX := /usr/sbin/nginx
VARNISH := /usr/sbin/varnishd
# Whichever is there; a name that nothing has where none is.
POSTGRESQL := $(or $(lastword $(sort $(wildcard /usr/lib/postgresql/*/bin/postgres))),postgresql-server)
REAL_SITES := /usr/sbin/php-fpm8.2 /usr/sbin/mariadbd /usr/share/dokuwiki/doku.php /usr/share/wordpress/wp-login.php
GO_SUMDB := /usr/share/gocode/src/golang.org/x/mod/sumdb/tlog/tlog.go

.PHONY: demo test check bench soak realsites pictures clean
.DELETE_ON_ERROR:

$(VENV)/ready: requirements/dev.txt pyproject.toml
	test -x $(PY) || python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(CHROMIUM):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core

node_modules/.package-lock.json: package.json package-lock.json
	npm ci --silent --no-audit --no-fund
	touch $@

$(VENV)/vectors: tests/vectors/fetch tests/vectors/requirements.txt $(VENV)/ready
	$(PY) tests/vectors/fetch
	touch $@

# What others verify our log with.
$(GO_SUMDB):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		golang-go golang-golang-x-mod-dev

$(POSTGRESQL):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql

# What the proxy is compared with.
$(NGINX):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light

$(VARNISH):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends varnish

# Sites that nobody here wrote, and what they run on.
$(REAL_SITES) &:
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
		php8.2-fpm php8.2-cli php8.2-mysql php8.2-xml php8.2-gd php8.2-mbstring \
		mariadb-server-core dokuwiki wordpress wordpress-theme-twentytwentytwo

$(OPENSSL):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends openssl

$(VENV)/strangers/ready: tests/ledger/strangers/install requirements/dev.txt $(VENV)/ready
	$(PY) tests/ledger/strangers/install $(VENV)/strangers
	touch $@

STRANGERS := $(GO_SUMDB) $(OPENSSL) $(VENV)/strangers/ready
TEST_READY := $(VENV)/ready $(VENV)/vectors $(CHROMIUM) node_modules/.package-lock.json $(POSTGRESQL) $(NGINX) $(VARNISH) \
	$(STRANGERS)

demo: $(VENV)/ready
	cd examples && ../$(PY) -m newsroom

test: $(TEST_READY)
	$(PY) -m pytest -n 2 -m "not browser and not soak"
	$(PY) -m pytest -n 2 -m "browser and not soak"

# With the proxy in front of them; `make soak` does it too.
realsites: $(VENV)/ready $(CHROMIUM) $(NGINX) $(REAL_SITES)
	$(PY) -m pytest -m soak tests/realsites

soak: $(TEST_READY) $(REAL_SITES)
	$(PY) -m pytest -m "soak and not browser"
	$(PY) -m pytest -m "soak and browser"
	HYPOTHESIS_PROFILE=search $(PY) -m pytest -n 2 tests/consent tests/web tests/ledger -m "not browser and not soak"

check: $(VENV)/ready node_modules/.package-lock.json
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	npx --no-install tsc -p tsconfig.json
	npx --no-install tsc -p tests/audit/tsconfig.json
	$(PY) -m pytest tests/docs

# Beside the environment, not in it: the tests and the demo run without what is measured against.
$(VENV)/bench/ready: requirements/bench.txt $(VENV)/ready
	rm -rf $(VENV)/bench
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --target $(VENV)/bench \
		-r requirements/bench.txt
	touch $@

$(WRK):
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends wrk

bench: $(VENV)/ready $(VENV)/bench/ready $(CHROMIUM) $(WRK) $(POSTGRESQL)
	$(PY) -m bench

pictures: $(VENV)/ready $(CHROMIUM)
	$(PY) docs/pictures/render

clean:
	rm -rf $(VENV) node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
