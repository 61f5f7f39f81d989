"""What stands in a page as MyST: the one place that knows how a directive is fenced."""


def directive(name: str, about: str, body: str) -> str:
    """A MyST directive; `about` stands in its first line."""
    fence = "~~~" if "`" in about else "```"  # a line that begins with backticks may not hold others
    return f"{fence}{{{name}}} {about}".rstrip() + f"\n{body}\n{fence}"


NOT_RECORDED = "Not recorded yet"  # how a caption begins that speaks of records, where there are none


def nothing(kind: str, caption: str) -> str:
    """The note that stands in place of a figure or a table of records, until there are some."""
    known = caption.startswith(NOT_RECORDED)
    return directive("note", "", caption if known else f"Nothing is recorded yet for this {kind}. {caption}")
