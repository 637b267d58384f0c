#!/bin/bash
# Check the series of a pull request as it was merged into its base: the log tells what was found,
# the status whether there is an error.
set -euo pipefail

cd "$(dirname "$(realpath "$0")")/../.."

echo "Checking the page states of $(git rev-list --count 'HEAD^1..HEAD^2') patches..."
if offlint check --quiet --color never --fail-on error 'HEAD^1..HEAD^2'; then
	echo "✓ page states passed"
else
	echo "✗ page states failed"
	exit 1
fi
