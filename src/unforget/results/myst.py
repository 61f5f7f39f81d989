"""What stands in a page as MyST: the one place that knows how a directive is fenced."""


def directive(name: str, about: str, body: str) -> str:
    """A MyST directive; `about` stands in its first line."""
    fence = "~~~" if "`" in about else "```"  # a line that begins with backticks may not hold others
    return f"{fence}{{{name}}} {about}".rstrip() + f"\n{body}\n{fence}"
