"""The opportunity report of one firm: as a page, a workbook and Markdown."""
