"""`python -m unforget`: the command line without its installed entry point."""

from unforget.cli import app

if __name__ == "__main__":
    app(prog_name="unforget")
