# make run and make test set everything up themselves; `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# Wide enough that a table of treatments stays on one line where no terminal says its width.
export COLUMNS ?= 100

KERNEL := $(wildcard csrc/*.c csrc/*.h src/allotment/kernel/*.pyx src/allotment/kernel/*.pxd)

.PHONY: help run serve test test-engines test-peers soak sanitize fuzz bench bench-peers bench-http \
  lint docs screenshots mutants clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/ready: pyproject.toml setup.py $(KERNEL)
	@echo "setting up $(VENV) (a minute or two the first time)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install -q --upgrade 'pip>=25.1'
	@$(PY) -m pip install -q -e '.[all]' --group test
	@touch $@

run: $(VENV)/ready ## assign 234,908 real cities under the example catalog
	@$(PY) examples/geo/cities.py
	@$(VENV)/bin/allotment assign examples/geo/cities.parquet examples/geo/assigned.parquet \
	  --catalog examples/geo/catalog.yaml --unit-column geonameid

serve: $(VENV)/ready ## a server with an example catalog, and lines to try against it
	@$(VENV)/bin/allotment serve --insecure-local --example examples/serve/catalog.yaml

test: $(VENV)/ready ## every test: C, kernel, laws, files, command line
	@$(MAKE) -s -C csrc test
	@$(PY) -m pytest -n 2 -m 'not soak' --ignore=tests/engines --ignore=tests/peers

test-engines: $(VENV)/ready ## the tests that need a heavy engine: Spark, ClickHouse, Ray, Dask
	@$(PY) -m pip install -q --group engines
	@$(PY) -m pytest -n 0 -m 'not soak' tests/engines

test-peers: $(VENV)/ready ## 20,000 units each, against the real SDKs of other platforms
	@$(PY) -m pytest -n 2 -m 'not soak' tests/peers

soak: $(VENV)/ready ## the long ones, from a fresh seed each time (SEED=N repeats one)
	@$(PY) -m pip install -q --group engines
	@$(PY) -m pytest -n 2 -m soak --timeout 0 --seed $(or $(SEED),$(shell shuf -i 1-4294967295 -n 1))

sanitize: ## C tests and the Python suite under AddressSanitizer and UBSan
	@$(MAKE) -s -C csrc sanitize
	@test -x $(VENV)-asan/bin/python || $(PYTHON) -m venv $(VENV)-asan
	@$(VENV)-asan/bin/python -m pip install -q --upgrade 'pip>=25.1'
	@ALLOTMENT_SANITIZE=1 $(VENV)-asan/bin/python -m pip install -q --force-reinstall --no-deps .
	@$(VENV)-asan/bin/python -m pip install -q '.[all]' --group test
	@tests/sanitized.sh $(VENV)-asan/bin/python

fuzz: $(VENV)/ready ## Arrow input, plans and hostile callers of the kernel (needs clang; SECONDS_EACH=30)
	@$(MAKE) -s -C csrc fuzz
	@cd tests && ../$(PY) -X faulthandler -m kernel.hostile $(or $(SECONDS_EACH),30)

bench: $(VENV)/ready ## every speed claim, as ratios to an interleaved reference
	@$(PY) -m pip install -q --group bench
	@$(PY) -m benchmarks

bench-peers: $(VENV)/ready ## other platforms' SDKs beside Allotment, each in an environment of its own
	@PYTHONPATH=tests/support $(PY) -m benchmarks.peers

bench-http: $(VENV)/ready ## other HTTP servers beside ours (needs wrk; nginx where installed)
	@PYTHONPATH=tests/support $(PY) -m benchmarks.http

lint: $(VENV)/ready ## ruff, mypy, pyright over the pages' code, and the kernel's stubs against the kernel
	@$(PY) -m pip install -q --group lint
	@$(VENV)/bin/ruff check && $(VENV)/bin/ruff format --check
	@$(VENV)/bin/mypy
	@PYTHONPATH=tests:tests/support $(PY) -m docs.blocks build/pages
	@$(VENV)/bin/mypy build/pages tests/engine/typed.py
	@$(VENV)/bin/pyright --pythonpath $(PY)
	@$(PY) -m mypy.stubtest allotment.kernel --allowlist tests/stubtest-allowlist.txt \
	  --ignore-unused-allowlist --mypy-config-file pyproject.toml

docs: $(VENV)/ready ## write the reference pages from the code, and build the site in build/site/html
	@PYTHONPATH=tests:tests/support $(PY) -m docs.reference
	@$(PY) -m pip install -q --group docs
	@rm -rf build/site && mkdir -p build/site/pages
	@git ls-files -co --exclude-standard '*.md' '*.png' docs examples | tar -cT - | tar -xC build/site/pages
	@NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build -q --strict
	@! grep -rnoE '<(script|link|img)[^>]*(src|href)="?(https?:)?//[^">]*' build/site/html --include='*.html'

screenshots: $(VENV)/ready ## takes the pictures of docs/console.md again (needs Chromium)
	@PYTHONPATH=tests:tests/support $(PY) -m server.console.screenshots docs/images

mutants: $(VENV)/ready ## seeded faults, each of which the tests must catch
	@$(PY) tests/mutants.py

clean: ## everything that was built
	@rm -rf $(VENV) $(VENV)-asan build src/*.egg-info
	@find src -name '*.so' -delete
	@$(MAKE) -s -C csrc clean
