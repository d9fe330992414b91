"""`python -m jaxact.cli`: the same where the script is not on the path."""

import sys

from jaxact.cli import main

if __name__ == "__main__":
    sys.exit(main())
