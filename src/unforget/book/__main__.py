"""`python -m unforget.book`: the book without the command line."""

import sys

from unforget.book.build import main

if __name__ == "__main__":
    sys.exit(main())
