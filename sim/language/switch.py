"""The switch between the two languages of a page: what of it stands in the body, its style, and its script.

A page that uses it has `choices` first in its body, ``BUTTONS`` in a ``header`` after them, and `Text` for its
words; ``#vi`` or ``#en`` at the end of its address says which language is shown first. Without scripts it works too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from markupsafe import Markup

BUTTONS = Markup(
    '<nav class="languages"><label for="language-en">English</label>'
    '<label for="language-vi">Tiếng Việt</label></nav>'
)
STYLE = """:root { color-scheme: light; --ink: #222; --faint: #595959; --line: #d5d5d5; --accent: #00634a; }
.choice { position: absolute; opacity: 0; width: 1px; height: 1px; }
.languages { float: right; margin-left: 0.8rem; display: flex; gap: 4px; }
.languages label { padding: 3px 12px; border: 1px solid var(--accent); border-radius: 4px; cursor: pointer;
  color: var(--accent); }
#language-en:checked ~ * [lang="vi"], #language-vi:checked ~ * [lang="en"] { display: none; }
#language-en:checked ~ header label[for="language-en"],
#language-vi:checked ~ header label[for="language-vi"] { background: var(--accent); color: #fff; }
#language-en:focus-visible ~ header label[for="language-en"],
#language-vi:focus-visible ~ header label[for="language-vi"] { outline: 3px solid #e69f00; outline-offset: 2px; }
@media print { .languages { display: none; } }
"""
SCRIPT = """"use strict";
const choices = { en: document.getElementById("language-en"), vi: document.getElementById("language-vi") };
const language = () => (choices.vi.checked ? "vi" : "en");
const tell = () => { document.documentElement.lang = language(); };
const wish = location.hash.slice(1);
if (choices[wish]) { choices[wish].checked = true; }
for (const choice of Object.values(choices)) { choice.addEventListener("change", tell); }
tell();
"""


def choices(first: str) -> Markup:
    """The two inputs that hold the choice; ``first`` is ``"en"`` or ``"vi"``, the language shown by default."""
    inputs = [
        Markup(
            '<input class="choice" type="radio" name="language" id="language-{}" autocomplete="off"{}'
            ' aria-label="{}">'
        ).format(id, Markup(" checked") if id == first else "", name)
        for id, name in (("en", "English"), ("vi", "Tiếng Việt"))
    ]
    return Markup("\n").join(inputs)


def content_security_policy(style: str, script: str) -> str:
    """The policy of a page: no external resources, only its own style and script, and no form, frame or base."""

    def digest(text: str) -> str:
        return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


_PAGE = Markup("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title><style>{style}</style></head><body>
{choices}
<header>{buttons}<h1>{title}</h1></header>
<main>
{body}
</main><script>{script}</script></body></html>
""")


def page(title: str, style: str, body: Iterable[Markup]) -> str:
    """A page in both languages, English first: a heading and the parts of ``body``, without references to other files.

    ``style`` is CSS after that of the switch. Equal input gives equal text.
    """
    style = STYLE + style
    return str(
        _PAGE.format(
            title=title,
            policy=content_security_policy(style, SCRIPT),
            style=Markup(style),
            choices=choices("en"),
            buttons=BUTTONS,
            body=Markup("\n").join(body),
            script=Markup(SCRIPT),
        )
    )
