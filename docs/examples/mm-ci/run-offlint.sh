#!/bin/bash
# Check the series of a pull request as it was merged into its base: the log tells what was found,
# the status whether there is an error.
set -euo pipefail

cd "$(dirname "$(realpath "$0")")/../.."

echo "Checking the page states of $(git rev-list --count 'HEAD^1..HEAD^2') patches..."
status=0
offlint check --quiet --color never --fail-on error 'HEAD^1..HEAD^2' || status=$?
case $status in
0) echo "✓ page states passed" ;;
1) echo "✗ page states failed" ;;
*) echo "✗ page states could not be checked" ;;
esac
exit $status
