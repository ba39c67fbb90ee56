"""The report factory: jobs, workers, Papermill, export, publishing, index, manifest, workbook."""
