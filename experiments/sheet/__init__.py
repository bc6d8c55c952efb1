"""The timing sheet for the cabinet: the plan of each signal on A4 pages (PDF) and in a workbook (XLSX), vi and en."""

__all__ = [
    "sheet_content",
    "sheet_drawing",
    "sheet_pages",
    "sheet_sketch",
    "sheet_workbook",
]
