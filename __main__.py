"""`python -m dvdt`: the command line."""

from .dsl.cli import main

raise SystemExit(main())
