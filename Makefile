# Names for what start.py does; see the README.
PYTHON ?= python3

.PHONY: run test check lock
run:
	$(PYTHON) start.py
test check lock:
	$(PYTHON) start.py $@
