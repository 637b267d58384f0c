# The commands of a working day. The first one of them makes `.venv` from the locked requirements.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUN := $(VENV)/.run-$(shell cksum < requirements/run.txt | tr ' ' -)
DEV := $(VENV)/.dev-$(shell cat requirements/run.txt requirements/dev.txt | cksum | tr ' ' -)
SLOW := $(VENV)/.slow-$(shell cat requirements/run.txt requirements/dev.txt requirements/slow.txt | cksum | tr ' ' -)
TREE ?= fixtures/demo/tree
PATCH ?= fixtures/demo/change.patch
HALF := $(addprefix tests/kernel/test_,answer_key.py audit.py fixes.py later.py mutations.py) \
	tests/mutation

.DEFAULT_GOAL := help
.PHONY: help demo test check lint kernel-test answer-key bench lock wheel supply clean

help: ## List the targets.
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(RUN) ## Run the check on the small tree, or on TREE=... PATCH=...
	@$(BIN)/python -m analyzer check --tree "$(TREE)" "$(PATCH)"; status=$$?; \
	echo; echo "exit status $$status"; test $$status -le 1

test: $(DEV) ## Run the tests that need no kernel.
	$(BIN)/python -m pytest

check: lint test ## Run every check that needs no kernel.

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

kernel-test: $(SLOW) ## Run what needs a kernel or takes long, OFFLINT_TREE=...
	@mkdir -p build
	@# Two halves of about the same length side by side; the first half's output comes at the end.
	@$(BIN)/python -m pytest -m "kernel or slow" $(HALF) > build/kernel-test.log 2>&1 & half=$$!; \
	$(BIN)/python -m pytest -m "kernel or slow" --ignore=tests/bench $(addprefix --ignore=,$(HALF)); \
	other=$$?; wait $$half; first=$$?; cat build/kernel-test.log; test $$first -eq 0 -a $$other -eq 0

answer-key: $(DEV) ## Run the answer key on OFFLINT_TREE=..., a Linux 6.12 tree.
	$(BIN)/python -m pytest -m kernel -s tests/kernel

bench: $(DEV) ## Measure against searches, spatch and others on OFFLINT_TREE=...
	$(BIN)/python -m pytest -m kernel -s tests/bench

lock: $(DEV) ## Pin the newest allowed versions with their hashes.
	$(BIN)/python -m piptools --version > /dev/null 2>&1 || $(BIN)/python -m pip install pip-tools
	for kind in run dev slow supply; do \
		$(BIN)/python -m piptools compile --quiet --upgrade --generate-hashes --allow-unsafe \
			--strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
			--no-emit-trusted-host --output-file requirements/$$kind.txt requirements/$$kind.in \
		|| exit 1; \
	done

wheel: $(DEV) ## Build the wheel into dist/.
	$(BIN)/python -m hatchling build -t wheel

supply: $(DEV) ## Look for known vulnerabilities, list what is in the package, build it twice.
	.ci/supply

clean: ## Remove what the other targets made.
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(RUN):
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.txt
	@rm -f $(VENV)/.run-* && touch $@

$(DEV): $(RUN)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@rm -f $(VENV)/.dev-* && touch $@

$(SLOW): $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/slow.txt
	@rm -f $(VENV)/.slow-* && touch $@
