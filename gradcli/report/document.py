"""The head of an HTML document: title and style sheet in, all above the content out."""

from __future__ import annotations


def html_head(title: str, style: str, *, policy: str = "", body: str = "<body>") -> str:
    """All above the content; `title` is escaped already, `policy` says what may be loaded."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n' if policy else ""
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{meta}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>\n{style}</style>\n</head>\n{body}\n"
    )
