"""Who may ask: only this machine, with the token, from the workbench's own page.

A web page that is open in the same browser can send requests to the loopback address. It is kept out three times: by
the Host (DNS rebinding), by the Origin (requests from other pages), and by a token that no other page knows. The token
comes in the fragment of the address, which browsers do not send, and goes back in a header: a cookie would be sent to
every other port of this machine too.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from denxanh.experiments.workbench.workbench_page import POLICY
from denxanh.sim.language.text import Text

API, FILES = "/api/", "/files/"
FILE_POLICY = (
    "sandbox allow-scripts allow-downloads allow-modals; default-src 'none'; script-src 'unsafe-inline'; "
    "style-src 'unsafe-inline'; img-src data: 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
"""Of pages out of result folders: their scripts run, but reach neither the interface nor the network."""


def _policy(path: str) -> str:
    """The Content-Security-Policy of an address. A browser's viewer of PDF files does not work in a sandbox."""
    if not path.startswith(FILES):
        return POLICY
    return "frame-ancestors 'none'" if path.lower().endswith(".pdf") else FILE_POLICY


def new_token() -> str:
    """A token for one start of the server."""
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class Access:
    """What a request must carry."""

    token: str
    port: int

    @property
    def hosts(self) -> tuple[str, ...]:
        """The values of Host under which the server answers."""
        return f"127.0.0.1:{self.port}", f"localhost:{self.port}"

    @property
    def file_key(self) -> str:
        """The secret part of the addresses of files, from which the token cannot be found."""
        return hmac.new(self.token.encode(), b"files", hashlib.sha256).hexdigest()[:32]

    def refusal(self, scope: Scope) -> tuple[int, Text] | None:
        """Status and reason why a request is not answered; None where it is."""
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"host", "") not in self.hosts:
            return 421, Text(
                "this server answers to the loopback address alone",
                "máy chủ này chỉ trả lời cho địa chỉ nội bộ của máy",
            )
        path: str = scope["path"]
        origin = headers.get(b"origin")
        if path.startswith(API):
            if scope["method"] != "POST":
                return 405, Text("the interface takes POST alone", "giao diện này chỉ nhận POST")
            if origin not in {f"http://{host}" for host in self.hosts}:
                return 403, Text("the request comes from another page", "yêu cầu đến từ một trang web khác")
            given = headers.get(b"authorization", "")
            if not hmac.compare_digest(given.encode(), f"Bearer {self.token}".encode()):
                return 401, Text(
                    "the token is missing or old: open the address that 'denxanh serve' printed",
                    "thiếu mã truy cập hoặc mã đã cũ: hãy mở địa chỉ mà 'denxanh serve' đã in ra",
                )
        elif scope["method"] not in ("GET", "HEAD"):
            return 405, Text("this address can only be read", "địa chỉ này chỉ để đọc")
        elif path.startswith(FILES) and not hmac.compare_digest(
            path[len(FILES) :].partition("/")[0].encode(), self.file_key.encode()
        ):
            return 401, Text(
                "the address of this file is old: open it from the workbench",
                "địa chỉ tệp này đã cũ: hãy mở từ bàn làm việc",
            )
        return None


class Guard:
    """The ASGI layer that refuses requests by ``Access`` and gives every answer its headers."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self.app = app
        self.access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Only HTTP is answered."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        policy = _policy(scope["path"])

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {
                    **message,
                    "headers": [
                        *message.get("headers", ()),
                        (b"content-security-policy", policy.encode()),
                        (b"x-content-type-options", b"nosniff"),
                        (b"referrer-policy", b"no-referrer"),
                        (b"cross-origin-resource-policy", b"same-origin"),
                        (b"cross-origin-opener-policy", b"same-origin"),
                        (b"cache-control", b"no-store"),
                    ],
                }
            await send(message)

        refused = self.access.refusal(scope)
        if refused is None:
            await self.app(scope, receive, with_headers)
            return
        status, reason = refused
        answer: Response = JSONResponse(
            {"refused": {"en": reason.en, "vi": reason.vi}},
            status_code=status,
        )
        await answer(scope, receive, with_headers)
