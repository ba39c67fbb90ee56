"""``python -m cmi_analysis.cli`` is the command `cmi`."""

from cmi_analysis.cli import main

if __name__ == "__main__":
    main()
