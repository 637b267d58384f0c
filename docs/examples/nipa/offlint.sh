#!/bin/bash
# A test of netdev's NIPA. Copy this folder to tests/patch/offlint of NIPA, where it finds it.
# NIPA runs it at the top of the tree with the patch as HEAD; one line goes to $DESC_FD.

complaint=$(mktemp)
trap 'rm -f "$complaint"' EXIT

offlint check --quiet --nipa --format text HEAD~..HEAD 2>"$complaint"
status=$?
cat "$complaint" >&2

# 2 and above: nothing was checked, and that is no fault of the patch.
if [ $status -ge 2 ] && [ $status -ne 250 ]; then
	echo "not checked: $(head -n 1 "$complaint")" >&"$DESC_FD"
	exit 250
fi
exit $status
