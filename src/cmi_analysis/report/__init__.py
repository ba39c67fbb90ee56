"""The report factory: jobs, workers, Papermill, export, publishing, index, manifest, workbook."""

import sys

# nbformat imports jsonschema, which would build a grammar of web addresses at every start: two seconds, and no notebook has any
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
