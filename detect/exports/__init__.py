"""Files made from a report: JSON, CSV and evidence crops. The pages, which need templates, are made in ``jobs``."""
