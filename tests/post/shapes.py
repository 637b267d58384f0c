"""What the services take, as JSON Schemas written from their published interfaces.

Where a schema is stricter than the interface, that is on purpose: it has what we send.
"""

from __future__ import annotations

from jsonschema.validators import Draft202012Validator

Schema = dict[str, object]


def _object(required: list[str], **properties: object) -> Schema:
    return {
        "type": "object",
        "additionalProperties": False,
        "required": required,
        "properties": properties,
    }


_TEXT = {"type": "string", "minLength": 1, "maxLength": 65536}
_LINE = {"type": "integer", "minimum": 1}
_SHA = {"type": "string", "pattern": "^[0-9a-f]{40}$"}
_PATH = {"type": "string", "pattern": "^[^/.]"}

#: Patchwork, OpenAPI document of its API 1.3, CheckCreate.
PATCHWORK_CHECK = _object(
    ["state"],
    state={"enum": ["pending", "success", "warning", "fail"]},
    # The document says only that it is a URI; the server wants a host with a domain.
    target_url={
        "type": ["string", "null"],
        "pattern": r"^https?://(localhost|[^/\s]+\.[^/\s]+)([:/]\S*)?$",
        "maxLength": 200,
    },
    context={
        "type": "string",
        "pattern": "^[-a-zA-Z0-9_]+$",
        "minLength": 1,
        "maxLength": 255,
    },
    description={"type": ["string", "null"]},
)
#: GitHub, "Create a review comment for a pull request"; a comment has a line or is on the file.
GITHUB_REVIEW_COMMENT: Schema = {
    **_object(
        ["body", "commit_id", "path"],
        body=_TEXT,
        commit_id=_SHA,
        path=_PATH,
        line=_LINE,
        side={"enum": ["LEFT", "RIGHT"]},
        start_line=_LINE,
        start_side={"enum": ["LEFT", "RIGHT", "side"]},
        subject_type={"enum": ["line", "file"]},
    ),
    "oneOf": [
        {"required": ["line", "side"]},
        {"required": ["subject_type"], "properties": {"subject_type": {"const": "file"}}},
    ],
}
#: GitHub, "Create an issue comment" and "Update an issue comment".
GITHUB_COMMENT = _object(["body"], body=_TEXT)
#: GitLab, "Create a new thread in the merge request diff".
GITLAB_DISCUSSION = _object(
    ["body", "position"],
    body=_TEXT,
    position={
        **_object(
            ["base_sha", "start_sha", "head_sha", "position_type", "new_path", "old_path"],
            base_sha=_SHA,
            start_sha=_SHA,
            head_sha=_SHA,
            position_type={"enum": ["text", "image", "file"]},
            new_path=_PATH,
            old_path=_PATH,
            new_line=_LINE,
            old_line=_LINE,
        ),
        "if": {"properties": {"position_type": {"const": "text"}}},
        "then": {"anyOf": [{"required": ["new_line"]}, {"required": ["old_line"]}]},
        "else": {"not": {"required": ["new_line"]}},
    },
)
#: GitLab, "Create new merge request note" and "Modify existing merge request note".
GITLAB_NOTE = _object(["body"], body=_TEXT)


def violations(schema: Schema, body: object) -> list[str]:
    """Return what is wrong with a body."""
    return [e.message for e in Draft202012Validator(schema).iter_errors(body)]
