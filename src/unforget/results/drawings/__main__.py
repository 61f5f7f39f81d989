import sys
from pathlib import Path

from unforget.results.drawings import write

write(Path(sys.argv[1]))
