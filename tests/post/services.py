"""Patchwork, GitHub and GitLab, as far as a poster meets them."""

from __future__ import annotations

from collections.abc import Mapping

from . import shapes
from .servers import Body, RefusalError, Request, Service, matched

SHA = "a" * 40
#: The change under review: one file of the small tree is in it.
HUNK = """\
@@ -3,5 +3,6 @@ static LIST_HEAD(kept);
 /* keep a page back */
 static void keep_page(struct page *page)
 {
-\told(page);
+\t__SetPageOffline(page);
+\tnew(page);
 \tlist_add(&page->lru, &kept);
"""


class Patchwork(Service):
    """A Patchwork with two patches."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = {"1@example.org": 11, "2@example.org": 12}
        self.checks: dict[int, list[Body]] = {11: [], 12: []}
        self.knows_msgid = True  # since its API 1.2; an older one lists all that it has

    def answer(self, request: Request) -> tuple[object, Mapping[str, str]]:
        if request.headers.get("authorization") != f"Token {self.token}":
            raise self.complain(403, "Invalid token.")
        if request.path == "/api/patches/":
            wanted = request.query["msgid"]
            return self.page(request, [
                {"id": number, "msgid": f"<{name}>"} for name, number in self.patches.items()
                if name == wanted or not self.knows_msgid
            ])  # fmt: skip
        groups = matched(r"/api/patches/(\d+)/checks/", request.path)
        if groups is None or int(groups[0]) not in self.checks:
            raise self.complain(404, f"Not found: {request.path}")
        checks = self.checks[int(groups[0])]
        if request.method == "GET":
            context = request.query.get("context")
            return self.page(request, [c for c in checks if context in (None, c["context"])])
        if wrong := shapes.violations(shapes.PATCHWORK_CHECK, request.body):
            raise self.complain(400, wrong[0])
        assert request.body is not None
        check = {
            "target_url": None, "description": None,
            "id": sum(map(len, self.checks.values())) + 1, **request.body,
        }  # fmt: skip
        checks.append(check)
        return check, {}


class GitHub(Service):
    """Pull request 7 of o/r; only the driver is in its diff, and some other file."""

    def __init__(self) -> None:
        super().__init__()
        self.comments: list[Body] = []
        self.notes: list[Body] = []
        self.files: list[Body] = [
            {
                "filename": "Documentation/x.rst",
                "status": "modified",
                "patch": "@@ -1 +1 @@\n-a\n+b",
            },
            {"filename": "logo.png", "status": "added"},
            {"filename": "drivers/toy/toy.c", "status": "modified", "patch": HUNK},
        ]

    def answer(self, request: Request) -> tuple[object, Mapping[str, str]]:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            raise self.complain(401, "Bad credentials")
        if request.headers.get("accept") != "application/vnd.github+json":
            raise self.complain(415, "no media type")
        if "user-agent" not in request.headers:
            raise self.complain(403, "no user agent")
        if request.headers.get("x-github-api-version") not in ("2022-11-28", "2026-03-10"):
            raise self.complain(400, "no such version")
        match request.method, request.path:
            case "GET", "/repos/o/r/pulls/7":
                return {"head": {"sha": SHA}}, {}
            case "GET", "/repos/o/r/pulls/7/files":
                return self.page(request, self.files)
            case "GET", "/repos/o/r/pulls/7/comments":
                return self.page(request, self.comments)
            case "GET", "/repos/o/r/issues/7/comments":
                return self.page(request, self.notes)
            case "POST", "/repos/o/r/pulls/7/comments":
                return self._comment(self._checked(shapes.GITHUB_REVIEW_COMMENT, request))
            case "POST", "/repos/o/r/issues/7/comments":
                body = self._checked(shapes.GITHUB_COMMENT, request)
                self.notes.append({"id": 500 + len(self.notes), **body})
                return self.notes[-1], {}
            case "PATCH", path if groups := matched(r"/repos/o/r/issues/comments/(\d+)", path):
                note = next(n for n in self.notes if n["id"] == int(groups[0]))
                note.update(self._checked(shapes.GITHUB_COMMENT, request))
                return note, {}
        raise self.complain(404, f"Not Found: {request.method} {request.path}")

    def _checked(self, schema: shapes.Schema, request: Request) -> Body:
        if wrong := shapes.violations(schema, request.body):
            raise self.complain(422, wrong[0])
        assert request.body is not None
        return request.body

    def _comment(self, body: Body) -> tuple[object, Mapping[str, str]]:
        if body["path"] not in [f["filename"] for f in self.files] or body["commit_id"] != SHA:
            raise RefusalError(422, "Validation Failed: pull_request_review_thread.path")
        if "line" in body and not (
            body["path"] == "drivers/toy/toy.c" and body["line"] in range(3, 9)
        ):
            raise RefusalError(422, "Validation Failed: pull_request_review_thread.line")
        self.comments.append({"id": 100 + len(self.comments), **body})
        return self.comments[-1], {}


class GitLab(Service):
    """Merge request 3 of group/linux, with the same diff."""

    def __init__(self) -> None:
        super().__init__()
        self.discussions: list[Body] = []
        self.notes: list[Body] = []

    def answer(self, request: Request) -> tuple[object, Mapping[str, str]]:
        if request.headers.get("private-token") != self.token:
            raise self.complain(401, "401 Unauthorized")
        where = "/api/v4/projects/group%2Flinux/merge_requests/3/"
        match request.method, request.path.removeprefix(where):
            case "GET", "versions":
                names = ("base_commit_sha", "start_commit_sha", "head_commit_sha")
                return [dict.fromkeys(names, SHA), dict.fromkeys(names, "b" * 40)], {}
            case "GET", "diffs":
                path = "drivers/toy/toy.c"
                file = {"new_path": path, "old_path": path, "diff": HUNK, "deleted_file": False}
                return self.page(request, [file])
            case "GET", "discussions":
                return self.page(request, self.discussions)
            case "GET", "notes":
                return self.page(request, self.notes)
            case "POST", "discussions":
                body = self._checked(shapes.GITLAB_DISCUSSION, request)
                return self._discuss(body)
            case "POST", "notes":
                note = {"id": 70 + len(self.notes), **self._checked(shapes.GITLAB_NOTE, request)}
                self.notes.append(note)
                return note, {}
            case "PUT", path if groups := matched(r"notes/(\d+)", path):
                note = next(n for n in self.notes if n["id"] == int(groups[0]))
                note.update(self._checked(shapes.GITLAB_NOTE, request))
                return note, {}
        raise self.complain(404, f"404 Not Found: {request.method} {request.path}")

    def _checked(self, schema: shapes.Schema, request: Request) -> Body:
        if wrong := shapes.violations(schema, request.body):
            raise self.complain(400, wrong[0])
        assert request.body is not None
        return request.body

    def _discuss(self, body: Body) -> tuple[object, Mapping[str, str]]:
        position = body["position"]
        assert isinstance(position, dict)
        if position["head_sha"] != SHA:
            raise self.complain(400, "an old version of the merge request")
        known = {(3, 3), (4, 4), (5, 5), (6, None), (7, None), (8, 7)}
        line = position.get("new_line"), position.get("old_line")
        if position["position_type"] == "text" and line not in known:
            raise self.complain(400, f"line_code can't be blank: {line}")
        note = {"id": 900 + len(self.discussions), "body": body["body"]}
        self.discussions.append({"id": f"d{len(self.discussions)}", "notes": [note], **body})
        return self.discussions[-1], {}
