#!/usr/bin/env bash
# The check of action.yml: annotations on stdout, a summary, and reports under $RUNNER_TEMP.
# Never fails because of findings: the last step of the action does, when everything is uploaded.
set -euo pipefail

folder=$RUNNER_TEMP/offlint
mkdir -p "$folder"
cd "${OFFLINT_TREE_DIR:-.}"

has() {
	git rev-parse --verify --quiet "$1^{commit}" >/dev/null
}

# Which commits? A pull request is checked out as a merge of it into its base.
range=${OFFLINT_RANGE:-}
if [ -z "$range" ] && has 'HEAD^2'; then
	range="$(git rev-parse 'HEAD^1')..$(git rev-parse 'HEAD^2')"
fi
if [ -z "$range" ] && [ -n "${GITHUB_BASE_REF:-}" ] && has "origin/$GITHUB_BASE_REF"; then
	if base=$(git merge-base "origin/$GITHUB_BASE_REF" HEAD); then
		range="$base..HEAD"
	fi
fi
before=${OFFLINT_BEFORE:-} # all zeros for a new branch
if [ -z "$range" ] && [ -n "${before//0/}" ] && has "$before"; then
	range="$before..HEAD"
fi

status=0
why=
if [ -z "$range" ]; then
	# git itself knows what is wrong where it does not look into the tree at all.
	git rev-parse --git-dir 2>"$folder/report.txt" >/dev/null &&
		echo "no commits to check: give the input \`range\`, and check out with \`fetch-depth: 100\` or 0" \
			>"$folder/report.txt"
	status=2
	why=$(head -n 1 "$folder/report.txt")
else
	offlint check --quiet --format github --format text="$folder/report.txt" \
		--format json="$folder/report.json" --format sarif="$folder/report.sarif" \
		--anchor "${OFFLINT_ANCHOR:-hunk}" --level "${OFFLINT_LEVEL:-note}" \
		--fail-on "${OFFLINT_FAIL_ON:-warning}" "$range" 2>"$folder/complaint.txt" || status=$?
	# What it says may hold names from the patch: none of it is a command to the runner.
	stop=$(cat /proc/sys/kernel/random/uuid)
	echo "::stop-commands::$stop"
	cat "$folder/complaint.txt"
	echo "::$stop::"
	if [ "$status" -gt 1 ]; then
		why="not everything was judged: see the summary" # it was stopped on the way
		if [ -s "$folder/complaint.txt" ]; then
			mv "$folder/complaint.txt" "$folder/report.txt"
			why=$(head -n 1 "$folder/report.txt")
		fi
	fi
fi
[ -z "$why" ] || printf '::error title=offlint::%s\n' "${why//%/%25}"

# Whatever a source holds is text in the summary, which takes a mebibyte.
{
	echo "### offlint${range:+ on \`$range\`}"
	echo
	echo "<pre>"
	head --bytes 900000 "$folder/report.txt" | sed 's/&/\&amp;/g; s/</\&lt;/g; s/>/\&gt;/g'
	echo "</pre>"
} >>"$GITHUB_STEP_SUMMARY"
{
	echo "status=$status"
	echo "report=$folder/report.json"
	echo "sarif=$folder/report.sarif"
} >>"$GITHUB_OUTPUT"
